import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { startSim } from '@comfy-bridge/comfy-sim';
import type { Sim } from '@comfy-bridge/comfy-sim';
import { expect, test } from 'vitest';

import { fleetApi } from './_fleet-api.ts';
import { ended, proveBackends, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';

test('a backend that is added while jobs wait runs them', async () => {
  await using t = await startBridge({ sims: 0 });
  await using sim = await startSim();
  await submit(t, 'waits');
  const added = await fleetApi(t).add({ url: sim.address, name: 'studio', tags: ['fast'] });
  expect(added).toMatchObject({ name: 'studio', status: 'connecting', source: 'api', tags: ['fast'] });
  await (await sim.nextPrompt()).finish({ images: 1 });
  expect(await ended(t, 'waits')).toMatchObject({
    attempts: [{ backend: 'studio', outcome: 'succeeded' }],
    state: { status: 'succeeded' },
  });
  expect(t.errors).toEqual([]);
});

test('a backend without a name gets the next free number; several on one machine differ by their port', async () => {
  await using t = await startBridge();
  await using one = await startSim();
  await using two = await startSim();
  const api = fleetApi(t);
  expect(await api.add({ url: one.url })).toMatchObject({ name: 'backend-2' });
  expect(await api.add({ url: `${two.url}/` })).toMatchObject({ name: 'backend-3' });
  await expect
    .poll(async () => (await api.list()).map(({ status }) => status))
    .toEqual(['ready', 'ready', 'ready']);
  expect((await api.list()).map(({ address }) => address)).toEqual([t.sim.address, one.address, two.address]);
});

test('one that cannot be reached when it is added is watched, and used when it comes', async () => {
  await using t = await startBridge({ sims: 0 });
  await using sim = await startSim();
  await sim.refuse(true);
  const lost = t.nextEvent('backend:lost');
  const api = fleetApi(t);
  await api.add({ url: sim.address, name: 'late' });
  await lost;
  const shown = await api.get('late');
  expect(shown).toMatchObject({ status: 'lost', reason: expect.any(String), node_classes: null });
  expect(shown['reason']).not.toContain(String(sim.port));
  await submit(t, 'waits');
  await sim.refuse(false);
  await (await sim.nextPrompt()).finish({ images: 1 });
  expect(await ended(t, 'waits')).toMatchObject({ state: { status: 'succeeded' } });
});

test('one that is removed finishes its job, its results included, gets nothing new, and is gone then', async () => {
  await using t = await startBridge({ sims: 2 });
  const [first, second] = t.sims;
  const api = fleetApi(t);
  await submit(t, 'begun');
  const run = await first?.nextPrompt();
  expect(await api.leave('backend-1')).toMatchObject({ status: 'leaving', returns_at_next_start: true });
  await submit(t, 'new');
  const elsewhere = await second?.nextPrompt();
  expect(await api.get('backend-1')).toMatchObject({
    status: 'leaving',
    jobs: [{ workflow: 'text-to-image' }],
  });
  const order: string[] = [];
  t.bridge.events.on('job:finished', ({ job }) => order.push(`finished ${job.clientId}`));
  t.bridge.events.on('backend:removed', ({ backend }) => order.push(`removed ${backend}`));
  const removed = t.nextEvent('backend:removed');
  await run?.finish({ images: 2 });
  expect(await ended(t, 'begun')).toMatchObject({
    attempts: [{ backend: 'backend-1', outcome: 'succeeded' }],
    state: { status: 'succeeded', results: [{}, {}] },
  });
  expect(await removed).toEqual({ backend: 'backend-1' });
  expect(order).toEqual(['finished begun', 'removed backend-1']);
  expect((await api.list()).map(({ name }) => name)).toEqual(['backend-2']);
  expect((await api.send('GET', '/backend-1', undefined)).status).toBe(404);
  // Nobody listens there any more, and its history was cleaned up before.
  await expect.poll(() => first?.sockets()).toBe(0);
  await expect.poll(() => first?.history()).toEqual([]);
  await elsewhere?.finish({ images: 1 });
  expect(await ended(t, 'new')).toMatchObject({ attempts: [{ backend: 'backend-2' }] });
  expect(t.errors).toEqual([]);
});

test('one that is removed now leaves its jobs to the others', async () => {
  await using t = await startBridge({ sims: 2 });
  const [first, second] = t.sims;
  await proveBackends(t);
  await fleetApi(t).send('POST', '/backend-2/drain');
  for (const clientId of ['begun', 'prefetched']) await submit(t, clientId);
  const run = await first?.nextPrompt();
  await expect.poll(() => first?.queue().pending.length).toBe(1);
  await fleetApi(t).send('POST', '/backend-2/resume');
  const removed = t.nextEvent('backend:removed');
  await fleetApi(t).leave('backend-1', '?now=true');
  await removed;
  expect(run?.isInterrupted).toBe(true);
  for (const _ of ['begun', 'prefetched']) await (await second?.nextPrompt())?.finish({ images: 1 });
  for (const clientId of ['begun', 'prefetched']) {
    const { attempts, state } = await ended(t, clientId);
    expect(state.status).toBe('succeeded');
    expect(attempts.map(({ backend, outcome }) => [backend, outcome])).toEqual([
      ['backend-1', 'moved'],
      ['backend-2', 'succeeded'],
    ]);
  }
  expect(first?.queue()).toEqual({ running: [], pending: [] });
});

test('one that is idle is gone at once: nobody looks at it or listens to it any more', async () => {
  await using t = await startBridge({ sims: 2 });
  const [first, second] = t.sims;
  await proveBackends(t);
  // Opened ahead of the next job.
  await expect.poll(() => first?.sockets()).toBe(1);
  const removed = t.nextEvent('backend:removed');
  await fleetApi(t).leave('backend-1');
  await removed;
  await expect.poll(() => first?.sockets()).toBe(0);
  const probes = (sim: Sim | undefined) => sim?.counters['GET /prompt'] ?? 0;
  const [before, beforeOther] = [probes(first), probes(second)];
  await expect.poll(() => probes(second), { timeout: 5_000 }).toBeGreaterThan(beforeOther + 4);
  // One may have been on its way.
  expect(probes(first)).toBeLessThanOrEqual(before + 1);
});

test('the place of one that is gone may be taken again', async () => {
  await using t = await startBridge();
  const api = fleetApi(t);
  const removed = t.nextEvent('backend:removed');
  await api.leave('backend-1');
  await removed;
  expect(await api.list()).toEqual([]);
  expect(await api.add({ url: t.sim.address, name: 'backend-1' })).toMatchObject({ source: 'api' });
  await submit(t, 'one');
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
});

test('one that is leaving stays when it is resumed', async () => {
  await using t = await startBridge();
  const api = fleetApi(t);
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  await api.leave('backend-1');
  expect(await (await api.send('POST', '/backend-1/resume')).json()).toMatchObject({ status: 'ready' });
  await run.finish({ images: 1 });
  await ended(t, 'one');
  await submit(t, 'two');
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  expect(await ended(t, 'two')).toMatchObject({ attempts: [{ backend: 'backend-1' }] });
});

test('a paused one finishes what has begun and gives back what waits in its queue', async () => {
  await using t = await startBridge({ sims: 2 });
  const [first, second] = t.sims;
  await proveBackends(t);
  await fleetApi(t).send('POST', '/backend-2/drain');
  for (const clientId of ['begun', 'prefetched']) await submit(t, clientId);
  const run = await first?.nextPrompt();
  await expect.poll(() => first?.queue().pending.length).toBe(1);
  run?.progress(1, 20, '3');
  const heard = () => [...(t.bridge.fleet.find('backend-1')?.slots.values() ?? [])][0]?.executingSince;
  await expect.poll(heard).toEqual(expect.any(Number));
  const paused = await fleetApi(t).send('POST', '/backend-1/pause');
  expect(await paused.json()).toMatchObject({ status: 'paused', mode: 'paused' });
  await expect.poll(() => first?.queue().pending).toEqual([]);
  await fleetApi(t).send('POST', '/backend-2/resume');
  await (await second?.nextPrompt())?.finish({ images: 1 });
  expect(await ended(t, 'prefetched')).toMatchObject({
    attempts: [
      { backend: 'backend-1', outcome: 'moved' },
      { backend: 'backend-2', outcome: 'succeeded' },
    ],
  });
  expect(run?.isInterrupted).toBe(false);
  await run?.finish({ images: 1 });
  expect(await ended(t, 'begun')).toMatchObject({
    attempts: [{ backend: 'backend-1', outcome: 'succeeded' }],
  });
});

test('freeing one asks that one alone, and says when it does not answer', async () => {
  await using t = await startBridge({ sims: 2 });
  const api = fleetApi(t);
  expect((await api.send('POST', '/backend-1/free')).status).toBe(200);
  expect(t.sims.map((sim) => sim.counters['POST /free'] ?? 0)).toEqual([1, 0]);
  t.sim.failNext('POST /free', 500);
  expect((await api.send('POST', '/backend-1/free')).status).toBe(503);
});

test('another token is used from the next call on, and none when it is taken away', async () => {
  const seen: (string | undefined)[] = [];
  await using proxy = await startProxy((authorization) => seen.push(authorization));
  await using t = await startBridge({
    sims: 0,
    ready: false,
    env: { COMFYUI_SERVERS: `${proxy.address};token=first` },
  });
  await expect.poll(() => seen).toContain('Bearer first');
  const answer = await fleetApi(t).send('PATCH', '/backend-1', { token: 'second' });
  expect(await answer.text()).not.toContain('second');
  await expect.poll(() => seen.at(-1)).toBe('Bearer second');
  await fleetApi(t).change('backend-1', { token: null });
  await expect.poll(() => seen.at(-1)).toBeUndefined();
});

/** Stands before a ComfyUI and lets nobody through. */
async function startProxy(onCall: (authorization: string | undefined) => void) {
  const server = createServer((request, response) => {
    onCall(request.headers.authorization);
    response.writeHead(401).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
