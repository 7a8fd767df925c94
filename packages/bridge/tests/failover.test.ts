import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { startSim } from '@comfy-bridge/comfy-sim';
import { expect, test } from 'vitest';

import { ended, submit, uploadOne } from './_requests.ts';
import { startBridge, workflowsDir } from './_start-bridge.ts';
import { openSocket } from './_ws-client.ts';

test('a ComfyUI dies in the middle: its job runs again elsewhere, uploads included, and is delivered once', async () => {
  await using t = await startBridge({ sims: 2 });
  const [first, second] = t.sims;
  using client = await openSocket(`${t.wsUrl}/ws?clientId=one`);
  const png = await readFile(join(workflowsDir, 'input/sample_a.png'));
  const saved = await uploadOne(t, png);
  await submit(t, 'one', { workflow: 'image-to-image', '10/image': saved });
  const run = await first?.nextPrompt();
  run?.progress(10, 20, '15');
  await client.next('progress');
  first?.crash();
  const again = await second?.nextPrompt();
  expect(again?.promptId).not.toBe(run?.promptId);
  const name = String(again?.prompt['10']?.inputs['image']);
  expect(Buffer.from(second?.readFile('input', name) ?? []).equals(png)).toBe(true);
  await again?.finish({ images: 1 });
  expect(await client.next('closed')).toMatchObject({ status: 'closed' });
  expect(await t.bridge.ledger.latestOf('one')).toMatchObject({ attempt: 2, excluded: ['backend-1'] });
  expect(client.frames.map(({ status }) => status)).not.toContain('error');
  expect((await t.get('/history?clientId=one')).status).toBe(200);
  expect((await t.get('/history?clientId=one')).status).toBe(204);
});

test('one of four dies with eight jobs under way: all eight are done', async () => {
  await using t = await startBridge({ sims: 4, sim: { mode: 'free', runMs: 100 } });
  const clients = Array.from({ length: 8 }, (_, index) => `c${index}`);
  for (const clientId of clients) await submit(t, clientId, { workflow: 'upscale', '2/scale_by': 1 });
  await expect.poll(() => t.sim.queue().running.length).toBe(1);
  t.sim.crash();
  const jobs = await Promise.all(clients.map((clientId) => ended(t, clientId)));
  expect(jobs.map(({ state }) => state.status)).toEqual(clients.map(() => 'succeeded'));
  expect(jobs.some(({ attempt }) => attempt === 2)).toBe(true);
});

test.each([0, 1])('with number %d of the list dead the other is used, without an error', async (dead) => {
  await using t = await startBridge({ sims: 2 });
  const lost = t.nextEvent('backend:lost');
  await t.sims[dead]?.refuse(true);
  await lost;
  const alive = t.sims[1 - dead];
  for (const clientId of ['one', 'two', 'three']) await submit(t, clientId);
  for (let job = 0; job < 3; job += 1) await (await alive?.nextPrompt())?.finish({ images: 1 });
  for (const clientId of ['one', 'two', 'three']) {
    expect(await ended(t, clientId)).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
  }
});

test('one that died a moment ago, unnoticed, costs an attempt and no job', async () => {
  await using t = await startBridge({ sims: 2, env: { PROBE_INTERVAL: '60' } });
  t.sims[0]?.crash();
  await submit(t, 'one');
  await (await t.sims[1]?.nextPrompt())?.finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({ attempt: 2, state: { status: 'succeeded' } });
});

test('a bridge that starts while the first of its list is dead works all the same', async () => {
  const dead = await startSim();
  await dead.close();
  await using alive = await startSim();
  const env = { COMFYUI_SERVERS: `${dead.address},${alive.address}` };
  await using t = await startBridge({ sims: 0, ready: false, env });
  await submit(t, 'one');
  await (await alive.nextPrompt()).finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
});

test('all are dead: the job waits, and is done when one comes back, within five seconds', async () => {
  await using t = await startBridge({ sims: 2 });
  for (const sim of t.sims) {
    const lost = t.nextEvent('backend:lost');
    await sim.refuse(true);
    await lost;
  }
  expect((await submit(t, 'one')).detail).toBe('queued / 1');
  expect(await (await t.get('/execution-info?clientId=one')).json()).toMatchObject({ status: 'connected' });
  const back = performance.now();
  await t.sims[1]?.refuse(false);
  await (await t.sims[1]?.nextPrompt())?.finish({ images: 1 });
  expect(performance.now() - back).toBeLessThan(5_000);
  expect(await ended(t, 'one')).toMatchObject({ state: { status: 'succeeded' } });
});

test('the only ComfyUI restarts and loses the prompt: the job starts again there', async () => {
  await using t = await startBridge();
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  run.progress(3, 20, '3');
  await t.sim.restart();
  const again = await t.sim.nextPrompt();
  expect(again.promptId).not.toBe(run.promptId);
  await again.finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({ attempt: 2, state: { status: 'succeeded' } });
});

test('a job that loses every attempt fails with a clean reason after MAX_ATTEMPTS', async () => {
  await using t = await startBridge({ env: { MAX_ATTEMPTS: '2' } });
  await submit(t, 'one');
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await t.sim.nextPrompt();
    await t.sim.restart();
  }
  expect(await ended(t, 'one')).toMatchObject({
    attempt: 2,
    state: {
      status: 'failed',
      error: { code: 'backend_lost', message: expect.stringContaining('submit it again') },
    },
  });
});
