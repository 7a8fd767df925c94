import { expect, test } from 'vitest';

import { describeJob } from './_donors.ts';
import { ended, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';

test('a job that nobody takes says of each machine why, and nothing once one takes work', async () => {
  await using t = await startBridge({ sims: 3, env: { PROBE_INTERVAL: '0.1' } });
  const [, second, third] = t.sims;
  await t.post('/api/bridge/backends/backend-1/pause');
  await second?.refuse(true);
  await t.nextEvent('backend:lost');
  await t.post('/api/bridge/backends/backend-3/drain');
  const { jobId } = await submit(t, 'one');
  expect(await describeJob(t, jobId)).toMatchObject({
    status: 'queued',
    waits_because:
      'no ComfyUI that could run it takes work now: backend-1 is paused; backend-2 does not answer; backend-3 is draining',
  });
  await t.post('/api/bridge/backends/backend-3/resume');
  const run = await third?.nextPrompt();
  expect(await describeJob(t, jobId)).toMatchObject({ waits_because: null });
  await run?.finish({ images: 1 });
  await ended(t, 'one');
  expect(t.errors).toEqual([]);
});

test('a job that waits behind another has no other reason', async () => {
  await using t = await startBridge();
  await submit(t, 'one');
  const first = await t.sim.nextPrompt();
  await submit(t, 'two');
  const { jobId } = await submit(t, 'three');
  expect(await describeJob(t, jobId)).toMatchObject({ status: 'queued', waits_because: null });
  await first.finish({ images: 1 });
});
