import { expect, test } from 'vitest';

import { isTerminal } from '../src/jobs/job.ts';
import { JobStoreError } from '../src/jobs/job-store.ts';
import type { JobStore } from '../src/jobs/job-store.ts';
import { createMemoryJobStore } from '../src/jobs/memory-job-store.ts';
import { detailOf, ended, parseBody, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import { openSocket } from './_ws-client.ts';

/** A store that can keep nothing, or no end of a job, while it is told so. */
function fragileStore() {
  const store = createMemoryJobStore();
  const fails = { insert: undefined as 'full' | 'unavailable' | undefined, ends: false, tries: 0 };
  const fragile: JobStore = {
    ...store,
    async insert(job) {
      if (fails.insert !== undefined) throw new JobStoreError(fails.insert);
      await store.insert(job);
    },
    async replace(expected, next, options) {
      if (fails.ends && isTerminal(next.state.status)) {
        fails.tries += 1;
        throw new JobStoreError('full');
      }
      return store.replace(expected, next, options);
    },
  };
  return { fails, store: fragile };
}

test.each([
  ['full', 507, /disk of the bridge is full/],
  ['unavailable', 503, /cannot be stored/],
] as const)(
  'a store that is %s: a job is refused with %d, nothing runs, and later it is taken',
  async (why, status, reason) => {
    const { fails, store } = fragileStore();
    await using t = await startBridge({ overrides: { store } });
    fails.insert = why;
    const answer = await t.post('/generate-based-workflow?clientId=one', { workflow: 'text-to-image' });
    expect(answer.status).toBe(status);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await detailOf(answer)).toMatch(reason);
    expect((await t.get('/execution-info?clientId=one')).status).toBe(400);
    expect(await parseBody(t.get('/generation-count'))).toBe(0);
    fails.insert = undefined;
    await submit(t, 'one');
    await (await t.sim.nextPrompt()).finish({ images: 1 });
    expect(await ended(t, 'one')).toMatchObject({ state: { status: 'succeeded' } });
    expect(t.sim.counters['POST /prompt']).toBe(1);
  },
);

test('an end that cannot be stored waits, and is told only after it was', async () => {
  const { fails, store } = fragileStore();
  await using t = await startBridge({ overrides: { store } });
  using client = await openSocket(`${t.wsUrl}/ws?clientId=one`);
  const { jobId } = await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  fails.ends = true;
  await run.finish({ images: 1 });
  await expect.poll(() => fails.tries).toBeGreaterThan(2);
  expect(client.frames.map(({ status }) => status)).not.toContain('closed');
  expect(await parseBody(t.get('/execution-info?clientId=one'))).toMatchObject({ status: 'progress' });
  expect(await parseBody(t.get(`/api/v2/jobs/${jobId}`))).toMatchObject({
    status: 'running',
    // Kept here already; its end is not.
    outputs: [expect.anything()],
  });
  expect((await t.get('/history?clientId=one')).status).toBe(204);
  expect((await store.get((await t.bridge.ledger.latestOf('one'))?.id ?? never()))?.state.status).toBe(
    'running',
  );
  fails.ends = false;
  expect(await client.next('closed')).toMatchObject({ status: 'closed' });
  expect((await t.get('/history?clientId=one')).status).toBe(200);
});

test('a backend goes on with other jobs while the end of one cannot be stored', async () => {
  const { fails, store } = fragileStore();
  await using t = await startBridge({ overrides: { store }, env: { BACKEND_SLOTS: '1' } });
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  await submit(t, 'two');
  fails.ends = true;
  await run.finish({ images: 1 });
  const next = await t.sim.nextPrompt();
  fails.ends = false;
  await next.finish({ images: 1 });
  for (const clientId of ['one', 'two'])
    expect(await ended(t, clientId)).toMatchObject({ state: { status: 'succeeded' } });
});

test('a cancel that cannot be stored is answered only once it was', async () => {
  const { fails, store } = fragileStore();
  await using t = await startBridge({ overrides: { store }, env: { BACKEND_SLOTS: '1' } });
  await submit(t, 'runs');
  await t.sim.nextPrompt();
  await submit(t, 'waits');
  fails.ends = true;
  let answered = false;
  const answer = t.post('/interrupt?clientId=waits').then((response) => {
    answered = true;
    return response;
  });
  await expect.poll(() => fails.tries).toBeGreaterThan(1);
  expect(answered).toBe(false);
  expect(await parseBody(t.get('/execution-info?clientId=waits'))).toMatchObject({ status: 'connected' });
  fails.ends = false;
  expect((await answer).status).toBe(200);
  expect(await t.bridge.ledger.latestOf('waits')).toMatchObject({ state: { status: 'canceled' } });
});

test('a stop does not wait for a store that keeps nothing', async () => {
  const { fails, store } = fragileStore();
  await using t = await startBridge({ overrides: { store }, env: { SHUTDOWN_TIMEOUT: '0.4' } });
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  fails.ends = true;
  await run.finish({ images: 1 });
  await expect.poll(() => fails.tries).toBeGreaterThan(0);
  const began = performance.now();
  await t.bridge.close();
  expect(performance.now() - began).toBeLessThan(2_000);
});

function never(): never {
  throw new Error('there is no such job');
}
