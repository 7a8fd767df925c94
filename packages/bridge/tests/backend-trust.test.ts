import { expect, test } from 'vitest';

import { ended, parseBody, proveBackends, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';

/** How each backend is trusted, by name. */
async function trust(t: TestBridge): Promise<Record<string, string>> {
  const backends = await parseBody<{ name: string; trust: string }[]>(t.get('/api/bridge/backends'));
  return Object.fromEntries(backends.map(({ name, trust }) => [name, trust]));
}

test('three failures in a row: it answers its probes and gets no more jobs, until its time has come', async () => {
  let skew = 0;
  const now = () => Date.now() + skew;
  await using t = await startBridge({ sims: 2, env: { MAX_ATTEMPTS: '1' }, overrides: { now } });
  const [bad, good] = t.sims;
  const lost = t.nextEvent('backend:lost');
  await good?.refuse(true);
  await lost;
  bad?.failNext('POST /prompt', 500, 3);
  for (const clientId of ['a', 'b', 'c']) {
    await submit(t, clientId);
    expect(await ended(t, clientId)).toMatchObject({ state: { status: 'failed' } });
  }
  const back = t.nextEvent('backend:ready');
  await good?.refuse(false);
  await back;
  expect(await trust(t)).toEqual({ 'backend-1': 'open', 'backend-2': 'closed' });
  await submit(t, 'goes-elsewhere');
  const run = await good?.nextPrompt();
  await submit(t, 'waits');
  expect(bad?.counters['POST /prompt']).toBe(3);
  skew = 60_000;
  // The queue is looked at again: now one job, and one only, is let through.
  await submit(t, 'waits-too');
  const trial = await bad?.nextPrompt();
  expect(bad?.queue().pending).toEqual([]);
  await run?.finish({ images: 1 });
  await trial?.finish({ images: 1 });
  expect(await ended(t, 'waits')).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
  expect(await trust(t)).toEqual({ 'backend-1': 'closed', 'backend-2': 'closed' });
});

test('the last one that is left is never shut out, however often it fails', async () => {
  await using t = await startBridge({ env: { MAX_ATTEMPTS: '2' } });
  t.sim.failNext('POST /prompt', 500, 6);
  for (const clientId of ['a', 'b', 'c']) {
    await submit(t, clientId);
    expect(await ended(t, clientId)).toMatchObject({ attempt: 2, state: { status: 'failed' } });
  }
  expect(await trust(t)).toEqual({ 'backend-1': 'open' });
  await submit(t, 'works');
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  expect(await ended(t, 'works')).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
  expect(await trust(t)).toEqual({ 'backend-1': 'closed' });
});

test('a prompt that is wrong in itself is no fault of the machine that ran it', async () => {
  await using t = await startBridge();
  for (let job = 0; job < 4; job += 1) {
    await submit(t, `c${job}`);
    (await t.sim.nextPrompt()).fail({ message: 'no luck' });
    expect(await ended(t, `c${job}`)).toMatchObject({ attempt: 1, state: { status: 'failed' } });
  }
  expect(await trust(t)).toEqual({ 'backend-1': 'closed' });
});

test('one that was lost and is back starts slowly: one job until that has gone well, then as many as before', async () => {
  await using t = await startBridge();
  await proveBackends(t);
  for (const clientId of ['a', 'b', 'c']) await submit(t, clientId);
  await expect.poll(() => t.sim.queue().pending.length).toBe(1);
  const lost = t.nextEvent('backend:lost');
  t.sim.crash();
  await lost;
  await t.sim.restart();
  const first = await t.sim.nextPrompt();
  expect(t.sim.queue().pending).toEqual([]);
  await first.finish({ images: 1 });
  await t.sim.nextPrompt();
  await expect.poll(() => t.sim.queue().pending.length).toBe(1);
});

test('one that is stuck with a prompt that cannot be stopped is avoided; its job is done elsewhere', async () => {
  await using t = await startBridge({
    sims: 2,
    env: { LIMIT_TIMEOUT_COUNT: '3', TIMEOUT_INTERVAL: '0.1' },
  });
  const [stuck, good] = t.sims;
  await submit(t, 'one');
  const run = await stuck?.nextPrompt();
  run?.progress(1, 20, '3');
  run?.hang();
  const again = await good?.nextPrompt();
  await again?.finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({ attempt: 2, state: { status: 'succeeded' } });
  expect(run?.isInterrupted).toBe(true);
  expect(await trust(t)).toMatchObject({ 'backend-1': 'open' });
  for (const clientId of ['two', 'three']) {
    await submit(t, clientId);
    await (await good?.nextPrompt())?.finish({ images: 1 });
    expect(await ended(t, clientId)).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
  }
  expect(stuck?.counters['POST /prompt']).toBe(1);
}, 40_000);

test('a prompt that waits behind the owner of a machine moves when another one is free, and that is no try', async () => {
  let skew = 0;
  await using t = await startBridge({
    sims: 2,
    env: { BACKEND_SLOTS: '1', MAX_ATTEMPTS: '1' },
    overrides: { now: () => Date.now() + skew },
  });
  const [shared, own] = t.sims;
  await proveBackends(t);
  const foreign = shared?.addForeignPrompt();
  await expect.poll(() => t.bridge.fleet.find('backend-1')?.queueRemaining).toBe(1);
  await t.post('/api/bridge/backends/backend-1/drain');
  await submit(t, 'first');
  const first = await own?.nextPrompt();
  await t.post('/api/bridge/backends/backend-1/resume');
  await t.post('/api/bridge/backends/backend-2/drain');
  await submit(t, 'moves');
  await expect.poll(() => shared?.queue().pending.length).toBe(1);
  await first?.finish({ images: 1 });
  await ended(t, 'first');
  await t.post('/api/bridge/backends/backend-2/resume');
  expect(shared?.queue().pending).toHaveLength(1);
  skew = 11_000;
  const moved = await own?.nextPrompt();
  expect(shared?.queue()).toEqual({ running: [foreign?.promptId], pending: [] });
  await moved?.finish({ images: 1 });
  expect(await ended(t, 'moves')).toMatchObject({
    attempts: [
      { backend: 'backend-1', outcome: 'moved' },
      { backend: 'backend-2', outcome: 'succeeded' },
    ],
    state: { status: 'succeeded' },
  });
  expect(await trust(t)).toEqual({ 'backend-1': 'closed', 'backend-2': 'closed' });
  await foreign?.finish();
});
