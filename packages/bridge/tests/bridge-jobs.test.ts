import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { ended, parseBody, runJob, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';

interface Listed {
  id: string;
  status: string;
  client_id: string | null;
  workflow: string;
}

interface Page {
  jobs: Listed[];
  next: string | null;
}

const list = (t: TestBridge, query = '') => parseBody<Page>(t.get(`/api/bridge/jobs${query}`));
const clientsOf = ({ jobs }: Page) => jobs.map(({ client_id }) => client_id);

test('a client lists its own jobs, newest first, and nobody else’s', async () => {
  await using t = await startBridge();
  await runJob(t, 'mine');
  await runJob(t, 'other');
  await runJob(t, 'mine');
  const page = await list(t, '?clientId=mine');
  expect(clientsOf(page)).toEqual(['mine', 'mine']);
  expect(page.jobs.map(({ status }) => status)).toEqual(['succeeded', 'expired']);
  expect(await list(t, '?clientId=nobody')).toEqual({ jobs: [], next: null });
});

test('everybody’s jobs are for operators: this machine without a token, whoever sends it with one', async () => {
  await using open = await startBridge({ sims: 0 });
  expect(await list(open)).toEqual({ jobs: [], next: null });
  const proxied = await open.get('/api/bridge/jobs', { headers: { 'x-forwarded-for': '1.2.3.4' } });
  expect(proxied.status).toBe(403);
  expect(await parseBody(proxied)).toEqual({ error: { code: 'forbidden', message: expect.any(String) } });
  await using guarded = await startBridge({ env: { OPERATOR_TOKEN: 'secret-token-of-the-operator' } });
  await runJob(guarded, 'one');
  expect((await guarded.get('/api/bridge/jobs')).status).toBe(401);
  expect((await guarded.get('/api/bridge/jobs?clientId=')).status).toBe(401);
  const answer = await guarded.get('/api/bridge/jobs', {
    headers: { authorization: 'Bearer secret-token-of-the-operator' },
  });
  expect(clientsOf(await parseBody<Page>(answer))).toEqual(['one']);
  expect(clientsOf(await list(guarded, '?clientId=one'))).toEqual(['one']);
});

test('by status and by workflow; what cannot be meant is 400', async () => {
  await using t = await startBridge({ env: { BACKEND_SLOTS: '1' } });
  await runJob(t, 'done');
  await submit(t, 'runs');
  await t.sim.nextPrompt();
  await submit(t, 'waits', { workflow: 'upscale' });
  await expect.poll(async () => clientsOf(await list(t, '?status=running'))).toEqual(['runs']);
  expect(clientsOf(await list(t, '?status=queued'))).toEqual(['waits']);
  expect(clientsOf(await list(t, '?status=queued,succeeded'))).toEqual(['waits', 'done']);
  expect(clientsOf(await list(t, '?workflow=text-to-image'))).toEqual(['runs', 'done']);
  expect(clientsOf(await list(t, '?workflow=upscale&clientId=done'))).toEqual([]);
  for (const query of [
    'status=lost',
    'status=queued,',
    'limit=0',
    'limit=201',
    'limit=x',
    'after=x',
    'after=',
    'clientId=a%20b',
  ]) {
    const answer = await t.get(`/api/bridge/jobs?${query}`);
    expect(answer.status, query).toBe(400);
    expect(await parseBody(answer), query).toEqual({
      error: { code: 'bad_request', message: expect.any(String) },
    });
  }
});

test('pages by `next` give every job once, also while jobs come', async () => {
  await using t = await startBridge({ sim: { mode: 'free', runMs: 0 } });
  const clients = Array.from({ length: 7 }, (_, index) => `c${index}`);
  for (const clientId of clients) {
    await submit(t, clientId, { workflow: 'upscale', '2/scale_by': 1 });
    await ended(t, clientId);
  }
  const seen: (string | null)[] = [];
  let query = '?limit=3';
  for (let page = 0; page < 3; page += 1) {
    const { jobs, next } = await list(t, query);
    seen.push(...jobs.map(({ client_id }) => client_id));
    if (page === 0) await submit(t, 'late');
    expect(next === null).toBe(page === 2);
    query = `?limit=3&after=${next}`;
  }
  expect(seen).toEqual(clients.toReversed());
});

test('one job with its attempts: names of backends, never an address or an id of theirs', async () => {
  await using t = await startBridge({ sims: 2 });
  const { jobId } = await submit(t, 'one');
  const lost = await t.sims[0]?.nextPrompt();
  t.sims[0]?.crash();
  const run = await t.sims[1]?.nextPrompt();
  await run?.finish({ images: 1 });
  await ended(t, 'one');
  const answer = await t.get(`/api/bridge/jobs/${jobId}`);
  const text = await answer.text();
  expect(JSON.parse(text)).toMatchObject({
    id: jobId,
    status: 'succeeded',
    workflow: 'text-to-image',
    client_id: 'one',
    phase: null,
    finished: true,
    attempts: [
      { number: 1, backend: 'backend-1', outcome: 'lost' },
      { number: 2, backend: 'backend-2', outcome: 'succeeded', executing_at: expect.any(String) },
    ],
    timings: { queue_ms: expect.any(Number), run_ms: expect.any(Number), delivery_ms: null },
    delivered_at: null,
  });
  for (const hidden of [lost?.promptId, run?.promptId, ...t.sims.map(({ port }) => String(port))])
    expect(text).not.toContain(hidden);
});

test('results are read by their number, as often as wanted, until they are delivered', async () => {
  await using t = await startBridge();
  const { jobId } = await submit(t, 'one');
  const results = `/api/bridge/jobs/${jobId}/results`;
  const run = await t.sim.nextPrompt();
  expect((await t.get(`${results}/0`)).status).toBe(404);
  await run.finish({ images: 2 });
  await ended(t, 'one');
  for (const index of [0, 1, 1]) {
    const head = await t.get(`${results}/${index}`, { method: 'HEAD' });
    expect(head.status).toBe(200);
    const file = await t.get(`${results}/${index}`);
    expect(file.status).toBe(200);
    expect(file.headers.get('content-type')).toBe('image/png');
    expect(file.headers.get('content-disposition')).toMatch(/^attachment; filename="?[\w-]+\.png"?$/);
    const bytes = Buffer.from(await file.arrayBuffer());
    expect(bytes.subarray(1, 4).toString()).toBe('PNG');
    for (const { headers } of [head, file]) expect(headers.get('content-length')).toBe(String(bytes.length));
  }
  for (const index of ['2', '-1', 'x', '..%2F0'])
    expect((await t.get(`${results}/${index}`)).status).toBe(404);
  const delivered = t.nextEvent('job:delivered');
  await (await t.get('/history?clientId=one')).arrayBuffer();
  await delivered;
  for (const method of ['GET', 'HEAD']) expect((await t.get(`${results}/0`, { method })).status).toBe(404);
  expect(t.errors).toEqual([]);
});

test('whoever sends a secret of its own with its jobs lists them, and nobody else does', async () => {
  await using t = await startBridge({ env: { OPERATOR_TOKEN: 'secret-token-of-the-operator' } });
  const as = (secret: string) => ({ headers: { authorization: `Bearer ${secret}` } });
  const body = JSON.stringify({ workflow: 'text-to-image' });
  for (const [client, secret] of Object.entries({ a: 'ann', b: 'bob', c: 'ann' })) {
    const init = { body, ...as(secret) };
    expect((await t.post(`/generate-based-workflow?clientId=${client}`, undefined, init)).status).toBe(200);
  }
  const own = (secret: string) => parseBody<Page>(t.get('/api/bridge/jobs?owner=me', as(secret)));
  expect(clientsOf(await own('ann'))).toEqual(['c', 'a']);
  expect(clientsOf(await own('bob'))).toEqual(['b']);
  expect(clientsOf(await own('eve'))).toEqual([]);
  const byKey = await t.get('/api/bridge/jobs?owner=me', { headers: { 'x-api-key': 'bob' } });
  expect(clientsOf(await parseBody<Page>(byKey))).toEqual(['b']);
  expect((await t.get('/api/bridge/jobs?owner=me')).status).toBe(401);
  expect((await t.get('/api/bridge/jobs?owner=ann', as('ann'))).status).toBe(400);
});

test('a finished job is forgotten when its owner says so, with every file of it', async () => {
  await using t = await startBridge();
  const { jobId } = await submit(t, 'one');
  const remove = () => t.get(`/api/bridge/jobs/${jobId}`, { method: 'DELETE' });
  const run = await t.sim.nextPrompt();
  const early = await remove();
  expect(early.status).toBe(409);
  expect(await early.text()).toContain('cancel it first');
  await run.finish({ images: 2 });
  await ended(t, 'one');
  const [file] = await readdir(join(t.dataDir, 'results'));
  expect(file).toBeDefined();
  expect((await remove()).status).toBe(204);
  expect(await readdir(join(t.dataDir, 'results'))).toEqual([]);
  for (const path of [`/api/bridge/jobs/${jobId}`, `/api/v2/jobs/${jobId}`])
    expect((await t.get(path)).status, path).toBe(404);
  expect((await remove()).status).toBe(404);
  expect((await t.get('/history?clientId=one')).status).toBe(204);
});
