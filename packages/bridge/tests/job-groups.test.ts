import { expect, test } from 'vitest';

import { JobStoreError } from '../src/jobs/job-store.ts';
import { createMemoryJobStore } from '../src/jobs/memory-job-store.ts';
import { readGroup, readJob, readRefusal, send } from './_named.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';
import { startWorld } from './_world.ts';

/** For what comes by itself, on a busy machine too. */
const patient = { timeout: 10_000 };

const seedsOf = (t: TestBridge) =>
  [...t.bridge.ledger.unfinished()].map(({ prompt }) => prompt['3']?.inputs['seed']);

test('a batch of three with one that fails', async () => {
  await using t = await startBridge({ env: { BACKEND_SLOTS: '1' } });
  const answer = await send(t, { prompt: 'a cat', seed: [1, 2, 3] });
  const group = await readGroup(answer, 201);
  expect(answer.headers.get('location')).toBe(`/api/bridge/groups/${group.id}`);
  expect(group).toMatchObject({
    workflow: 'text-to-image',
    status: 'queued',
    progress: 0,
    total: 3,
    counts: { queued: 3, running: 0, succeeded: 0, failed: 0, canceled: 0, expired: 0 },
    urls: { self: `/api/bridge/groups/${group.id}`, cancel: `/api/bridge/groups/${group.id}/cancel` },
  });
  expect(seedsOf(t)).toEqual([1, 2, 3]);
  for (const [index, { id }] of group.jobs.entries()) {
    const run = await t.sim.nextPrompt();
    expect(run.prompt['3']?.inputs['seed']).toBe(index + 1);
    const finished = t.nextEvent('job:finished', ({ job }) => job.id === id);
    if (index === 1) {
      run.progress(10, 20, '3');
      await expect
        .poll(async () => (await readGroup(t.get(group.urls.self))).progress, patient)
        .toBeGreaterThan(0.34);
      expect(await readGroup(t.get(group.urls.self))).toMatchObject({
        status: 'running',
        counts: { succeeded: 1, running: 1, queued: 1 },
      });
      run.fail({ nodeId: '3' });
    } else await run.finish({ images: 1 });
    await finished;
  }
  const done = await readGroup(t.get(group.urls.self));
  expect(done).toMatchObject({ status: 'failed', progress: 1, counts: { succeeded: 2, failed: 1 } });
  expect(done.jobs.map(({ id, status }) => [id, status])).toEqual(
    group.jobs.map(({ id }, index) => [id, index === 1 ? 'failed' : 'succeeded']),
  );
});

test('every combination of two lists, and side by side', async () => {
  await using t = await startBridge();
  const all = await readGroup(send(t, { seed: { each: [1, 2] }, steps: [5, 6, 7] }), 201);
  expect(all.total).toBe(6);
  const pairs = await readGroup(send(t, { seed: [8, 9], steps: [5, 6] }, { combine: 'zip' }), 201);
  expect(pairs.total).toBe(2);
  expect(seedsOf(t)).toEqual([1, 1, 1, 2, 2, 2, 8, 9]);
});

test('a list of one is a group of one', async () => {
  await using t = await startBridge();
  expect((await readGroup(send(t, { seed: [1] }), 201)).total).toBe(1);
});

test.each([
  [
    'lists of unequal length side by side',
    { seed: [1, 2], steps: [5, 6, 7] },
    'zip',
    { seed: /list of 2 where another has 3/ },
  ],
  ['an empty list', { Seed: [] }, 'product', { Seed: /is an empty list/ }],
  ['one wrong value among good ones', { seed: [1, 2, 'x'] }, 'product', { seed: /not "x"/ }],
  ['a list in a list', { seed: [[1]] }, 'product', { seed: /not a list/ }],
  [
    'more than 1000',
    { seed: Array.from({ length: 1001 }, (_, n) => n) },
    'product',
    { seed: /makes 1001 jobs/ },
  ],
])('%s is refused, and nothing runs', async (_what, inputs, combine, reasons) => {
  await using t = await startBridge();
  const refusal = await readRefusal(send(t, inputs, { combine }));
  expect(refusal).toMatchObject({ status: 400, code: 'invalid_input' });
  const expected = Object.entries(reasons).map(([name, reason]) => [name, expect.stringMatching(reason)]);
  expect(refusal.details).toEqual({ inputs: Object.fromEntries(expected) });
  expect([...t.bridge.ledger.unfinished()]).toEqual([]);
});

test('a queue that is too full for all of them takes none', async () => {
  await using t = await startBridge({ env: { MAX_QUEUED_JOBS: '2' } });
  expect(await readRefusal(send(t, { seed: [1, 2, 3] }))).toMatchObject({ status: 429, code: 'queue_full' });
  expect([...t.bridge.ledger.unfinished()]).toEqual([]);
  expect((await readGroup(send(t, { seed: [1, 2] }), 201)).total).toBe(2);
});

test.each<[string, { insert?: number; groups?: true }]>([
  ['a job of it', { insert: 3 }],
  ['the group itself', { groups: true }],
])('when %s cannot be stored, none of them is left to run', async (_what, failing) => {
  const store = createMemoryJobStore();
  const full = async () => {
    throw new JobStoreError('full');
  };
  let inserts = 0;
  await using t = await startBridge({
    overrides: {
      store: {
        ...store,
        insert: (job) => ((inserts += 1) === failing.insert ? full() : store.insert(job)),
        writeRecords: (collection, ...rest) =>
          collection === 'groups' && failing.groups ? full() : store.writeRecords(collection, ...rest),
      },
    },
  });
  const headers = { 'idempotency-key': 'one' };
  const refusal = await readRefusal(send(t, { seed: [1, 2, 3, 4] }, { headers }));
  expect(refusal).toMatchObject({ status: 507, code: 'storage_full' });
  await expect.poll(() => [...t.bridge.ledger.unfinished()].length, patient).toBe(0);
  const jobs = await store.list({ limit: 10 });
  expect(jobs.map(({ state }) => state.status)).toEqual(jobs.map(() => 'canceled'));
  delete failing.insert;
  delete failing.groups;
  expect((await readGroup(send(t, { seed: [1, 2, 3, 4] }, { headers }), 201)).total).toBe(4);
});

test('a thousand jobs are taken at once', async () => {
  await using world = await startWorld();
  await using t = await world.start();
  const group = await readGroup(send(t, { seed: Array.from({ length: 1000 }, (_, n) => n) }), 201);
  expect(group.jobs).toHaveLength(1000);
  expect(await readGroup(t.get(group.urls.self))).toMatchObject({ total: 1000 });
  expect(await readGroup(t.post(group.urls.cancel))).toMatchObject({ counts: { queued: 0, succeeded: 0 } });
});

test('canceling a group stops what runs and what waits; what is done stays', async () => {
  await using t = await startBridge({ env: { BACKEND_SLOTS: '1' } });
  const group = await readGroup(send(t, { seed: [1, 2, 3] }), 201);
  const first = t.nextEvent('job:finished');
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  await first;
  const run = await t.sim.nextPrompt();
  run.progress(1, 20, '3');
  expect((await readGroup(t.post(group.urls.cancel))).counts).toMatchObject({ queued: 0, succeeded: 1 });
  await run.interrupted;
  await expect
    .poll(async () => (await readGroup(t.get(group.urls.self))).counts, patient)
    .toMatchObject({ succeeded: 1, canceled: 2, running: 0 });
  const done = await readGroup(t.get(group.urls.self));
  expect(done).toMatchObject({ status: 'canceled', progress: 1 });
  expect(await readGroup(t.post(group.urls.cancel))).toEqual(done);
  expect(t.sim.counters['POST /prompt']).toBe(2);
});

test('one request can wait for a whole group', async () => {
  await using t = await startBridge();
  const answer = send(t, { seed: [1, 2] }, { headers: { prefer: 'wait=60' } });
  for (let done = 0; done < 2; done += 1) await (await t.sim.nextPrompt()).finish({ images: 1 });
  expect(await readGroup(answer, 200)).toMatchObject({ status: 'succeeded', progress: 1, total: 2 });
});

test('a repeat with the same key answers the same group', async () => {
  await using t = await startBridge();
  const headers = { 'idempotency-key': 'one' };
  const first = await readGroup(send(t, { seed: [1, 2] }, { headers }), 201);
  const again = await send(t, { seed: [1, 2] }, { headers });
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  expect((await readGroup(again)).id).toBe(first.id);
  expect([...t.bridge.ledger.unfinished()]).toHaveLength(2);
});

test('a restart keeps groups, what is done and what waits', async () => {
  await using world = await startWorld();
  let before = '';
  {
    await using t = await world.start({ env: { BACKEND_SLOTS: '1' } });
    const group = await readGroup(send(t, { seed: [1, 2] }), 201);
    before = group.id;
    const finished = t.nextEvent('job:finished');
    await (await world.sim.nextPrompt()).finish({ images: 1 });
    await finished;
  }
  await using t = await world.start({ env: { BACKEND_SLOTS: '1' } });
  const path = `/api/bridge/groups/${before}`;
  expect(await readGroup(t.get(path))).toMatchObject({ total: 2, counts: { succeeded: 1 } });
  const finished = t.nextEvent('job:finished');
  await (await world.sim.nextPrompt()).finish({ images: 1 });
  await finished;
  expect((await readGroup(t.get(path))).status).toBe('succeeded');
});

test('a group is gone with the last of its jobs', async () => {
  await using t = await startBridge();
  const group = await readGroup(send(t, { seed: [1, 2] }), 201);
  await readGroup(t.post(group.urls.cancel));
  await expect.poll(async () => (await readGroup(t.get(group.urls.self))).status, patient).toBe('canceled');
  const [one, two] = group.jobs;
  const remove = (id = '') => t.get(`/api/bridge/jobs/${id}`, { method: 'DELETE' });
  await (await remove(one?.id)).text();
  expect(await readGroup(t.get(group.urls.self))).toMatchObject({
    total: 2,
    counts: { canceled: 1, expired: 1 },
    jobs: [{ id: two?.id }],
  });
  await (await remove(two?.id)).text();
  expect(await readRefusal(t.get(group.urls.self))).toMatchObject({ status: 404, code: 'not_found' });
});

test.each([
  'GET /api/bridge/groups/nonsense',
  'POST /api/bridge/groups/00000000-0000-4000-8000-000000000000/cancel',
])('%s is 404', async (call) => {
  await using t = await startBridge({ sims: 0 });
  const [method = '', path = ''] = call.split(' ');
  expect(await readRefusal(t.get(path, { method }))).toMatchObject({ status: 404, code: 'not_found' });
});

test('under a base path the links of a group hold it', async () => {
  await using t = await startBridge({ env: { BASE_PATH: '/comfy' } });
  const group = await readGroup(send(t, { seed: [1] }), 201);
  expect(group.urls.self).toBe(`/comfy/api/bridge/groups/${group.id}`);
  const { origin } = new URL(t.url);
  const found = await fetch(`${origin}${group.urls.self}`, { headers: { connection: 'close' } });
  expect((await readGroup(found)).id).toBe(group.id);
  const job = group.jobs[0];
  expect(
    await readJob(fetch(`${origin}${job?.urls.self}`, { headers: { connection: 'close' } }), 200),
  ).toMatchObject({
    id: job?.id,
  });
});
