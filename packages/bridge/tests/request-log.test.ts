import { expect, test } from 'vitest';

import { createLogger } from '../src/logging.ts';
import { bearer, createKey, startKeyed } from './_keys.ts';
import { runJob } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;

/** A log whose lines can be read. */
function createLines(level: 'info' | 'error' = 'info') {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  return {
    log: createLogger({ level, format: 'json', destination }),
    of: (message: string) => lines.filter(({ msg }) => msg === message),
  };
}

test('each answer has an id, and nobody but a proxy that is trusted may choose it', async () => {
  await using open = await startBridge({ sims: 0 });
  const given = { headers: { 'x-request-id': 'chosen-by-the-caller' } };
  const first = (await open.get('/healthz', given)).headers.get('x-request-id') ?? '';
  const second = (await open.get('/nowhere')).headers.get('x-request-id') ?? '';
  expect(first).toMatch(uuid);
  expect(second).toMatch(uuid);
  expect(second).not.toBe(first);
  await using proxied = await startBridge({ sims: 0, env: { TRUST_PROXY: 'loopback' } });
  expect((await proxied.get('/healthz', given)).headers.get('x-request-id')).toBe('chosen-by-the-caller');
  for (const bad of ['a b', 'x'.repeat(129), '"', '{}']) {
    const answer = await proxied.get('/healthz', { headers: { 'x-request-id': bad } });
    expect(answer.headers.get('x-request-id'), bad).toMatch(uuid);
  }
});

test('what breaks is logged under the id that its caller has', async () => {
  const lines = createLines('error');
  await using t = await startBridge({ sims: 0, overrides: { log: lines.log } });
  const { ledger } = t.bridge;
  ledger.latestOf = () => Promise.reject(new Error('broken'));
  const answer = await t.get('/execution-info?clientId=one');
  expect(answer.status).toBe(500);
  const requestId = answer.headers.get('x-request-id');
  expect(await answer.json()).toEqual({ detail: expect.stringContaining(requestId ?? '?') });
  expect(lines.of('request failed')).toEqual([expect.objectContaining({ requestId })]);
});

test('the access log has a line for each request, without its query or anything of its URL', async () => {
  const lines = createLines();
  await using t = await startKeyed({ env: { ACCESS_LOG: 'on' }, overrides: { log: lines.log } });
  const { id, key } = await createKey(t, { role: 'client' });
  const answer = await t.get('/execution-info?clientId=a-secret-client&ticket=a-secret', {
    headers: bearer(key),
  });
  await answer.arrayBuffer();
  await t.get('/a-secret/path');
  await expect.poll(() => lines.of('request answered')).toHaveLength(3);
  const [, second, third] = lines.of('request answered');
  expect(second).toMatchObject({
    level: 'info',
    requestId: answer.headers.get('x-request-id'),
    method: 'GET',
    route: '/execution-info',
    status: answer.status,
    keyId: id,
    isWhole: true,
    ms: expect.any(Number),
  });
  expect(Number(second?.['bytes'])).toBeGreaterThan(100);
  expect(third).toMatchObject({ route: 'other', status: 401, keyId: null });
  expect(JSON.stringify(lines.of('request answered'))).not.toMatch(/secret/);
});

test('without ACCESS_LOG no request is logged', async () => {
  const lines = createLines();
  await using t = await startBridge({ sims: 0, overrides: { log: lines.log } });
  await t.get('/healthz');
  await t.bridge.close();
  expect(lines.of('request answered')).toEqual([]);
});

test('each step of a job is one line, with the ids of the job and of the backend', async () => {
  const lines = createLines();
  await using t = await startBridge({ overrides: { log: lines.log } });
  await runJob(t, 'one');
  const job = await t.bridge.ledger.latestOf('one');
  const backend = 'backend-1';
  const facts = { jobId: job?.id, attempt: 1 };
  expect(lines.of('job queued')).toEqual([
    expect.objectContaining({ jobId: job?.id, workflow: 'text-to-image' }),
  ]);
  expect(lines.of('job assigned')).toEqual([expect.objectContaining({ ...facts, backend })]);
  expect(lines.of('job finished')).toEqual([
    expect.objectContaining({ ...facts, backend, workflow: 'text-to-image', status: 'succeeded' }),
  ]);
});
