import { bridgeStatsSchema } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { bearer, createKey, startKeyed } from './_keys.ts';
import { ended, runJob, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';

async function readStats(t: TestBridge) {
  const answer = await t.get('/api/bridge/stats');
  expect(answer.status).toBe(200);
  return bridgeStatsSchema.parse(await answer.json());
}

test('what ended, runs and waits, how long it took, and where', async () => {
  await using t = await startBridge();
  await runJob(t, 'done');
  await submit(t, 'failing');
  (await t.sim.nextPrompt()).fail();
  await ended(t, 'failing');
  await submit(t, 'running');
  await t.sim.nextPrompt();
  await submit(t, 'gone');
  await t.post('/interrupt?clientId=gone');
  await ended(t, 'gone');
  for (const client of ['one', 'two', 'three']) await submit(t, client);
  const stats = await readStats(t);
  const so = { submitted: 7, succeeded: 1, failed: 1, canceled: 1 };
  expect(stats.jobs.last_hour).toEqual(so);
  expect(stats.jobs.last_day).toEqual(so);
  expect(stats.throughput.per_minute).toHaveLength(60);
  expect(stats.throughput.per_minute.reduce((a, b) => a + b)).toBe(1);
  const { queued, running } = stats.jobs.now;
  expect(queued + running).toBe(4);
  expect(stats.jobs.queue.length).toBe(queued);
  expect(stats.jobs.queue.by_workflow).toEqual([{ workflow: 'text-to-image', jobs: queued }]);
  expect(stats.jobs.queue.oldest_seconds).toBeGreaterThanOrEqual(0);
  expect(stats.workflows).toEqual([
    {
      workflow: 'text-to-image',
      wait_ms: { count: expect.any(Number), p50: expect.any(Number), p95: expect.any(Number) },
      run_ms: { count: 1, p50: expect.any(Number), p95: expect.any(Number) },
    },
  ]);
  expect(stats.backends).toMatchObject({ all: 1, ready: 1, lost: 0 });
  expect(stats.storage.used_bytes).toBeGreaterThan(0);
});

test('an hour later it is another hour, and still the same day', async () => {
  const clock = { ahead: 0 };
  await using t = await startBridge({ overrides: { now: () => Date.now() + clock.ahead } });
  await runJob(t, 'one');
  clock.ahead = 61 * 60_000;
  const { jobs, uptime_seconds } = await readStats(t);
  expect(jobs.last_hour).toEqual({ submitted: 0, succeeded: 0, failed: 0, canceled: 0 });
  expect(jobs.last_day).toMatchObject({ submitted: 1, succeeded: 1 });
  expect(uptime_seconds).toBeGreaterThanOrEqual(3_660);
});

test('only operators are told', async () => {
  await using t = await startKeyed();
  const author = await createKey(t, { role: 'author' });
  const operator = await createKey(t, { role: 'operator' });
  expect((await t.get('/api/bridge/stats')).status).toBe(401);
  expect((await t.get('/api/bridge/stats', { headers: bearer(author.key) })).status).toBe(403);
  expect((await t.get('/api/bridge/stats', { headers: bearer(operator.key) })).status).toBe(200);
});
