import { addressedBackendSchema, backendActivitySchema } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';
import { z } from 'zod';

import { ended, parseBody, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';
import { startWorld } from './_world.ts';

const fleetOf = async (t: TestBridge) =>
  z.array(addressedBackendSchema).parse(await parseBody(t.get('/api/bridge/backends')));

test('the fleet is told with how far its jobs are, how they ended there, and what went wrong last', async () => {
  await using t = await startBridge();
  const { jobId } = await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  const progressed = t.nextEvent('job:progress', ({ progress }) => progress.step === 5);
  run.progress(5, 20, '3');
  await progressed;
  const [busy] = await fleetOf(t);
  expect(busy?.jobs).toEqual([
    expect.objectContaining({ id: jobId, progress: expect.any(Number), node: 'KSampler' }),
  ]);
  expect(busy?.jobs[0]?.progress).toBeGreaterThan(0);
  await run.finish({ images: 1 });
  await ended(t, 'one');
  await submit(t, 'two');
  (await t.sim.nextPrompt()).fail();
  await ended(t, 'two');
  const [idle] = await fleetOf(t);
  expect(idle?.jobs).toEqual([]);
  expect(idle?.success).toMatchObject({ succeeded: 1, failed: 1, lost: 0 });
  expect(idle?.last_errors).toEqual([
    expect.objectContaining({ reason: expect.stringMatching(/./), job_id: expect.any(String) }),
  ]);
  expect(idle?.free_memory_bytes).toBeGreaterThan(0);
  expect(idle?.gpu).toMatch(/./);
});

test('the activity of a machine begins when it is there', async () => {
  await using t = await startBridge();
  const { samples, interval_seconds } = backendActivitySchema.parse(
    await parseBody(t.get('/api/bridge/backends/backend-1/activity')),
  );
  expect(interval_seconds).toBe(10);
  expect(samples).toHaveLength(1);
  expect(samples[0]?.memory_total_bytes).toBeGreaterThan(0);
  expect(samples[0]?.memory_used_bytes).toBeGreaterThanOrEqual(0);
  const nobody = await t.get('/api/bridge/backends/nobody/activity');
  expect(nobody.status).toBe(404);
  await nobody.arrayBuffer();
});

test('after a restart it is known how the runs of before ended', async () => {
  await using world = await startWorld();
  {
    await using t = await world.start();
    await submit(t, 'one');
    await (await world.sim.nextPrompt()).finish({ images: 1 });
    await ended(t, 'one');
  }
  await using t = await world.start();
  await expect.poll(async () => (await fleetOf(t))[0]?.success.succeeded).toBe(1);
});
