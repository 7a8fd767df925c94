import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Base64Results } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { ended, parseBody, proveBackends, submit, uploadOne } from './_requests.ts';
import { startBridge, workflowsDir } from './_start-bridge.ts';
import { startWorld } from './_world.ts';

const png = await readFile(join(workflowsDir, 'input/sample_a.png'));
const sample = 'bridge/i2i_example.jpg';
const token = 'a-token-of-the-bridge';

test('once its results are kept, all that a job left on a machine that is lent is deleted, once', async () => {
  await using t = await startBridge({ sims: [{ donor: {} }] });
  const saved = await uploadOne(t, png, 'aunt-mary.png');
  await submit(t, 'one', { workflow: 'image-to-image', '10/image': saved });
  const run = await t.sim.nextPrompt();
  const input = `bridge/${run.promptId}-1.png`;
  expect(t.sim.files('input')).toEqual(['example.png', input]);
  expect(JSON.stringify(t.sim.requests)).not.toContain('aunt-mary');
  await run.finish({ images: 1 });
  await ended(t, 'one');
  await expect.poll(() => t.sim.donor.forgotten.length).toBe(1);
  expect(t.sim.donor.forgotten).toEqual([{ promptId: run.promptId, inputs: [input], deleted: 2 }]);
  expect(t.sim.files('input')).toEqual(['example.png']);
  expect([...t.sim.files('output'), ...t.sim.files('temp'), ...t.sim.history()]).toEqual([]);
  const { files } = await parseBody<Base64Results>(t.get('/history?clientId=one&resType=base64'));
  expect(files).toHaveLength(1);
  await submit(t, 'two');
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  await expect.poll(() => t.sim.donor.forgotten.length).toBe(2);
  expect(t.sim.counters['POST /history']).toBeUndefined();
  expect(t.errors).toEqual([]);
});

test('the same job again is made again: what a cache remembers of it is deleted', async () => {
  await using t = await startBridge({ sims: [{ mode: 'free', stepMs: 1, donor: {} }] });
  for (const client of ['one', 'two', 'three']) {
    await submit(t, client, { '3/seed': 7 });
    expect(await ended(t, client)).toMatchObject({ state: { status: 'succeeded' } });
    await expect.poll(() => t.sim.files('output')).toEqual([]);
  }
});

test('a job that is canceled leaves nothing there either', async () => {
  await using t = await startBridge({ sims: [{ donor: {} }] });
  await submit(t, 'one', { workflow: 'image-to-image', '10/image': await uploadOne(t, png) });
  const run = await t.sim.nextPrompt();
  run.progress(1, 20, '15');
  await t.post('/interrupt?clientId=one');
  await ended(t, 'one');
  await expect.poll(() => t.sim.donor.forgotten.length).toBe(1);
  expect(t.sim.donor.forgotten).toMatchObject([{ promptId: run.promptId, deleted: 1 }]);
  expect([...t.sim.files('input'), ...t.sim.history()]).toEqual(['example.png']);
});

test('nor one whose machine is paused by its owner', async () => {
  await using t = await startBridge({ sims: [{ donor: {} }, { donor: {} }] });
  await submit(t, 'one', { workflow: 'image-to-image', '10/image': await uploadOne(t, png) });
  const [sim, other] = t.sims;
  const run = await sim?.nextPrompt();
  run?.progress(1, 20, '15');
  sim?.donor.pause();
  const again = await other?.nextPrompt();
  await expect.poll(() => sim?.donor.forgotten).toMatchObject([{ promptId: run?.promptId, deleted: 1 }]);
  expect(sim?.files('input')).toEqual(['example.png']);
  await again?.finish({ images: 1 });
  await ended(t, 'one');
  await expect.poll(() => other?.donor.forgotten.length).toBe(1);
});

test('a file that two jobs share is deleted with the last of them', async () => {
  await using t = await startBridge({ sims: [{ donor: {} }] });
  await proveBackends(t);
  await expect.poll(() => t.sim.donor.forgotten.length).toBe(1);
  for (const clientId of ['one', 'two']) await submit(t, clientId, { workflow: 'image-to-image' });
  await expect.poll(() => t.sim.queue().pending.length).toBe(1);
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  await ended(t, 'one');
  const second = await t.sim.nextPrompt();
  await expect.poll(() => t.sim.donor.forgotten.length).toBe(2);
  expect(t.sim.files('input')).toEqual(['example.png', sample]);
  await second.finish({ images: 1 });
  await ended(t, 'two');
  await expect.poll(() => t.sim.donor.forgotten.length).toBe(3);
  expect(t.sim.donor.forgotten.map(({ inputs }) => inputs)).toEqual([[], [], [sample]]);
  expect(t.sim.files('input')).toEqual(['example.png']);
});

test('a bridge that was restarted knows what the one before it had put there', async () => {
  await using world = await startWorld(1, { donor: {} });
  const { sim } = world;
  {
    await using t = await world.start();
    await submit(t, 'one', { workflow: 'image-to-image', '10/image': await uploadOne(t, png) });
    (await sim.nextPrompt()).progress(1, 20, '15');
  }
  expect(sim.files('input')).toHaveLength(2);
  await using t = await world.start();
  const [promptId = ''] = sim.queue().running;
  await fetch(`${sim.url}/interrupt`, { method: 'POST', headers: { connection: 'close' } });
  // What it began before is not the job's fault on such a machine: it may be that nobody listened for too long.
  await (await sim.nextPrompt()).finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({
    attempts: [{ promptId, outcome: 'moved' }, { outcome: 'succeeded' }],
    state: { status: 'succeeded' },
  });
  await expect.poll(() => sim.donor.forgotten.length).toBe(2);
  expect(sim.donor.forgotten[0]).toMatchObject({
    promptId,
    inputs: [`bridge/${promptId}-1.png`],
    deleted: 1,
  });
  expect(sim.files('input')).toEqual(['example.png']);
});

test('a machine that was away is told when it is back', async () => {
  await using t = await startBridge({ sims: [{ donor: {} }, {}] });
  const [lent, own] = t.sims;
  await submit(t, 'one', { workflow: 'image-to-image', '10/image': await uploadOne(t, png) });
  const run = await lent?.nextPrompt();
  lent?.crash();
  await (await own?.nextPrompt())?.finish({ images: 1 });
  await ended(t, 'one');
  await lent?.restart();
  await expect.poll(() => lent?.donor.forgotten.length, { timeout: 10_000 }).toBe(1);
  expect(lent?.donor.forgotten).toMatchObject([{ promptId: run?.promptId, deleted: 1 }]);
  expect(lent?.files('input')).toEqual(['example.png']);
}, 20_000);

test('a stock ComfyUI is asked once, each time it comes, whether it is lent, and never told to forget', async () => {
  await using t = await startBridge({ env: { PROBE_INTERVAL: '0.05' } });
  const asked = () => t.sim.counters['GET /comfy-bridge/status'];
  await submit(t, 'one', { workflow: 'image-to-image' });
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  await ended(t, 'one');
  const looks = t.sim.counters['GET /prompt'] ?? 0;
  await expect.poll(() => t.sim.counters['GET /prompt']).toBeGreaterThan(looks + 3);
  expect(asked()).toBe(1);
  await expect.poll(() => t.sim.counters['POST /history']).toBe(1);
  const lost = t.nextEvent('backend:lost');
  t.sim.crash();
  await lost;
  const back = t.nextEvent('backend:ready');
  await t.sim.restart();
  await back;
  expect(asked()).toBe(2);
  expect(t.sim.counters['POST /comfy-bridge/forget']).toBeUndefined();
});

test('the token goes with every request and every WebSocket', async () => {
  await using world = await startWorld(1, { donor: { token } });
  const { sim } = world;
  await using t = await world.start({ env: { COMFYUI_SERVERS: `a=${sim.address};token=${token}` } });
  await submit(t, 'one', { workflow: 'image-to-image', '10/image': await uploadOne(t, png) });
  (await sim.nextPrompt()).progress(1, 20, '15');
  sim.dropSockets();
  await expect.poll(() => sim.sockets()).toBe(1);
  await t.post('/interrupt?clientId=one');
  await ended(t, 'one');
  await submit(t, 'two');
  await (await sim.nextPrompt()).finish({ images: 1 });
  expect(await ended(t, 'two')).toMatchObject({ state: { status: 'succeeded' } });
  await t.post('/free');
  await expect.poll(() => sim.donor.forgotten.length).toBe(2);
  expect(sim.donor.strangers).toBe(0);
  expect(sim.counters).toMatchObject({ 'GET /ws': expect.any(Number), 'POST /free': 1 });
});

test('without the token there is nothing: the machine counts as lost, and says nothing of being lent', async () => {
  await using world = await startWorld(1, { donor: { token } });
  await using t = await world.start({ ready: false });
  await expect.poll(() => t.bridge.fleet.backends[0]?.state.status).toBe('lost');
  expect(await parseBody(t.get('/api/bridge/backends'))).toMatchObject([{ status: 'lost', lending: null }]);
  expect(world.sim.counters['GET /comfy-bridge/status']).toBeUndefined();
});
