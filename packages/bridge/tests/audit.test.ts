import { auditPageSchema } from '@comfy-bridge/protocol';
import type { AuditEntry } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { createAudit } from '../src/access/audit.ts';
import { createMemoryJobStore } from '../src/jobs/memory-job-store.ts';
import { createLogger } from '../src/logging.ts';
import { bearer, createClock, createKey, operatorToken, revokeKey, startKeyed } from './_keys.ts';
import { readJob, send } from './_named.ts';
import { graphOf, makeFolder } from './_publish.ts';
import { upgrade } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';
import { startWorld } from './_world.ts';

const asOperator = { headers: bearer(operatorToken) };

async function readAudit(t: TestBridge, query = '', init: RequestInit = asOperator) {
  const answer = await t.get(`/api/bridge/audit${query}`, init);
  expect(answer.status).toBe(200);
  return auditPageSchema.parse(await answer.json());
}

/** Entries are written behind the answers. */
async function actions(t: TestBridge, init?: RequestInit): Promise<string[]> {
  const { entries } = await readAudit(t, '', init);
  return entries.map(({ action, target, actor }) => `${actor}: ${action} ${target}`).toReversed();
}

test('what operators and authors change is written down with who did it, and clients are left alone', async () => {
  await using folder = await makeFolder({ samples: true });
  await using t = await startKeyed({ env: folder.env });
  const author = await createKey(t, { name: 'ann', role: 'author' });
  const client = await createKey(t, { name: 'shop' });
  await t.get('/api/bridge/workflows/mine', {
    method: 'PUT',
    body: JSON.stringify({ workflow: graphOf(64) }),
    headers: bearer(author.key),
  });
  const job = await readJob(
    send(t, {}, { headers: { ...bearer(client.key), prefer: 'wait=20', accept: 'application/json' } }),
    200,
  );
  await t.post(`/api/v2/jobs/${job.id}/cancel`, undefined, { headers: bearer(client.key) });
  await t.post(`/api/v2/jobs/${job.id}/cancel`, undefined, asOperator);
  await t.post('/api/bridge/backends', { url: '127.0.0.1:9', name: 'spare' }, asOperator);
  await t.get('/api/bridge/backends', asOperator);
  await t.post('/free', undefined, asOperator);
  await revokeKey(t, client.id);
  await expect
    .poll(() => actions(t))
    .toEqual([
      `OPERATOR_TOKEN: createKey ${author.id}`,
      `OPERATOR_TOKEN: createKey ${client.id}`,
      `key ${author.id} (ann): publishWorkflow mine`,
      `OPERATOR_TOKEN: cancelJob ${job.id}`,
      'OPERATOR_TOKEN: addBackend spare',
      'OPERATOR_TOKEN: freeMemory null',
      `OPERATOR_TOKEN: revokeKey ${client.id}`,
    ]);
  const text = JSON.stringify(await readAudit(t));
  for (const secret of [author.key, client.key, operatorToken]) expect(text).not.toContain(secret.slice(17));
});

test('refusals are written down, one a minute for those alike, with how many there were', async () => {
  const clock = createClock();
  await using t = await startKeyed({ sims: 0, overrides: { now: clock.now } });
  const client = await createKey(t);
  for (let at = 0; at < 20; at += 1) await t.get(`/workflow-list?ticket=secret-${at}`);
  await t.get('/api/bridge/backends', { headers: bearer(client.key) });
  await upgrade(`${t.wsUrl}/ws?clientId=one&ticket=nope`);
  const refused = async () =>
    (await readAudit(t)).entries.filter(({ action }) => action === 'refused').toReversed();
  await expect.poll(refused).toHaveLength(2);
  expect((await refused()).map(({ status, target, count }) => [status, target, count])).toEqual([
    [401, 'GET /workflow-list', 1],
    [403, 'GET /api/bridge/backends', 1],
  ]);
  clock.advance(60_001);
  await t.get('/workflow-list');
  await expect.poll(refused).toHaveLength(3);
  expect((await refused()).at(-1)).toMatchObject({ status: 401, count: 21 });
  expect(JSON.stringify(await refused())).not.toContain('secret');
});

test('without keys what operators change is written down too', async () => {
  await using t = await startBridge();
  await t.post('/api/bridge/backends', { url: '127.0.0.1:9', name: 'spare' });
  await t.post('/generate-based-workflow?clientId=one', { workflow: 'text-to-image' });
  await expect
    .poll(() => actions(t, {}))
    .toEqual([expect.stringMatching(/^address .*127\.0\.0\.1: addBackend spare$/)]);
});

test('the audit is read in pages, over a restart, the newest first', async () => {
  await using world = await startWorld();
  const env = { KEYS: 'required', OPERATOR_TOKEN: operatorToken };
  const ids: string[] = [];
  {
    await using t = await world.start({ env });
    for (let at = 0; at < 5; at += 1) ids.push((await createKey(t)).id);
  }
  await using t = await world.start({ env });
  const seen: AuditEntry[] = [];
  for (let query: string | null = '?limit=2'; query !== null;) {
    const page = await readAudit(t, query);
    seen.push(...page.entries);
    query = page.next === null ? null : `?limit=2&after=${page.next}`;
  }
  expect(seen.map(({ target }) => target)).toEqual(ids.toReversed());
});

test('the oldest go, and a flood of addresses fills neither the store nor the memory', async () => {
  const records = createMemoryJobStore();
  const clock = { now: 1_000_000 };
  const log = createLogger({ level: 'fatal', format: 'json', destination: { write: () => {} } });
  const audit = createAudit({ records, now: () => clock.now, log }, { maxEntries: 100 });
  for (let at = 0; at < 2_000; at += 1) {
    clock.now += 1;
    audit.record({ action: 'act', actor: 'me', address: null, target: String(at) });
    if (at % 100 === 0) await audit[Symbol.asyncDispose]();
  }
  await audit[Symbol.asyncDispose]();
  const { entries } = await audit.page({ limit: 1_000 });
  expect(entries.length).toBeLessThan(700);
  expect(entries[0]?.target).toBe('1999');
  for (let at = 0; at < 5_000; at += 1)
    audit.refuse({ actor: 'x', address: `192.0.2.${at}`, target: 'GET /', status: 401 });
  await audit[Symbol.asyncDispose]();
  const after = await audit.page({ limit: 10_000 });
  expect(after.entries.filter(({ action }) => action === 'refused').length).toBeLessThanOrEqual(1_000);
});
