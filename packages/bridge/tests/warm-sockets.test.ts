import { startSim } from '@comfy-bridge/comfy-sim';
import type { Sim } from '@comfy-bridge/comfy-sim';
import { pino } from 'pino';
import { expect, test } from 'vitest';

import { createFleet } from '../src/backends/fleet.ts';
import type { Backend } from '../src/backends/fleet.ts';
import { createComfyClient } from '../src/comfy/comfy-client.ts';
import type { ComfyMessage } from '../src/comfy/comfy-messages.ts';
import { createEvents } from '../src/events.ts';
import type { Events } from '../src/events.ts';
import { createWarmSockets } from '../src/scheduling/attempt/warm-sockets.ts';
import type { WarmSockets } from '../src/scheduling/attempt/warm-sockets.ts';

const log = pino({ level: 'silent' });

interface Rig extends AsyncDisposable {
  sim: Sim;
  backend: Backend;
  events: Events;
  sockets: WarmSockets;
  /** Opens a socket under a new id, ends it, and waits until the next is open ahead of time. */
  warmUp(): Promise<void>;
}

async function startRig(): Promise<Rig> {
  await using parts = new AsyncDisposableStack();
  const sim = parts.use(await startSim());
  const { backends } = createFleet([{ name: 'a', endpoint: { url: sim.url } }], (endpoint) =>
    createComfyClient(endpoint),
  );
  const [backend] = backends;
  if (backend === undefined) throw new Error('a fleet without a backend');
  parts.defer(() => backend.client.close());
  backend.state = { status: 'ready', since: 0 };
  const events = createEvents(() => {});
  const sockets = createWarmSockets({ events, log }, { connectTimeoutMs: 1_000 });
  parts.defer(() => sockets.close());
  const owned = parts.move();
  return {
    sim,
    backend,
    events,
    sockets,
    async warmUp() {
      const first = await sockets.open(backend, sockets.newPromptId(backend), ignore);
      const before = sim.counters['GET /ws'] ?? 0;
      first.terminate();
      await expect.poll(() => [sim.counters['GET /ws'], sim.sockets()]).toEqual([before + 1, 1]);
      // Its status message was heard, so it is open here, too.
      sim.sendRaw(
        JSON.stringify({ type: 'status', data: { status: { exec_info: { queue_remaining: 7 } } } }),
      );
      await expect.poll(() => backend.queueRemaining).toBe(7);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const ignore = { onMessage: () => {}, onClose: () => {} };

test('the first prompt of a backend opens a socket of its own; nothing is opened before', async () => {
  await using rig = await startRig();
  const id = rig.sockets.newPromptId(rig.backend);
  expect(rig.sim.counters['GET /ws']).toBeUndefined();
  const socket = await rig.sockets.open(rig.backend, id, ignore);
  expect(socket).toMatchObject({ clientId: id, isOpen: true });
  expect(rig.sim.sockets()).toBe(1);
});

test('after that, the next one is open already, under the id of its prompt, and hears what is sent to it', async () => {
  await using rig = await startRig();
  await rig.warmUp();
  const id = rig.sockets.newPromptId(rig.backend);
  const { promise: heard, resolve } = Promise.withResolvers<ComfyMessage>();
  const opened = rig.sim.counters['GET /ws'];
  const socket = await rig.sockets.open(rig.backend, id, { onMessage: resolve, onClose: () => {} });
  expect(socket.clientId).toBe(id);
  expect(rig.sim.counters['GET /ws']).toBe(opened);
  rig.sim.sendRaw(JSON.stringify({ type: 'execution_start', data: { prompt_id: id } }), id);
  expect(await heard).toMatchObject({ type: 'execution-start', promptId: id });
});

test('no id is given twice', async () => {
  await using rig = await startRig();
  await rig.warmUp();
  const ids = Array.from({ length: 5 }, () => rig.sockets.newPromptId(rig.backend));
  expect(new Set(ids).size).toBe(5);
});

test('a spare that was cut before it was used is replaced by a new socket of the same id', async () => {
  await using rig = await startRig();
  await rig.warmUp();
  const id = rig.sockets.newPromptId(rig.backend);
  rig.sim.dropSockets();
  await expect.poll(() => rig.sim.sockets()).toBe(0);
  const opened = rig.sim.counters['GET /ws'] ?? 0;
  await expect
    .poll(async () => (await rig.sockets.open(rig.backend, id, ignore)).isOpen && rig.sim.counters['GET /ws'])
    .toBeGreaterThan(opened);
});

test('a cut is told to the prompt that uses the socket', async () => {
  await using rig = await startRig();
  await rig.warmUp();
  const { promise: closed, resolve: onClose } = Promise.withResolvers<void>();
  const socket = await rig.sockets.open(rig.backend, rig.sockets.newPromptId(rig.backend), {
    ...ignore,
    onClose,
  });
  rig.sim.dropSockets();
  await closed;
  expect(socket.isOpen).toBe(false);
});

test('what a spare hears of the queue is kept, and a shorter one may mean work', async () => {
  await using rig = await startRig();
  await rig.warmUp();
  const { promise: capacity, resolve } = Promise.withResolvers<string>();
  rig.events.on('backend:capacity', ({ backend }) => resolve(backend));
  rig.sim.sendRaw(
    JSON.stringify({ type: 'status', data: { status: { exec_info: { queue_remaining: 3 } } } }),
  );
  expect(await capacity).toBe('a');
  expect(rig.backend.queueRemaining).toBe(3);
});

test('a lost backend has no spare, and gets none until it is back', async () => {
  await using rig = await startRig();
  await rig.warmUp();
  rig.backend.state = { status: 'lost', since: 0, failures: 1, reason: 'test' };
  rig.events.emit('backend:lost', { backend: 'a', reason: 'test' });
  await expect.poll(() => rig.sim.sockets()).toBe(0);
  const opened = rig.sim.counters['GET /ws'] ?? 0;
  (await rig.sockets.open(rig.backend, rig.sockets.newPromptId(rig.backend), ignore)).terminate();
  await expect.poll(() => rig.sim.sockets()).toBe(0);
  expect(rig.sim.counters['GET /ws']).toBe(opened + 1);
});

test('closing ends spares, taken or not', async () => {
  await using rig = await startRig();
  await rig.warmUp();
  rig.sockets.newPromptId(rig.backend);
  rig.sockets.close();
  await expect.poll(() => rig.sim.sockets()).toBe(0);
});
