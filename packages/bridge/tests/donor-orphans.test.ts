import { expect, test } from 'vitest';

import { ended, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import { startWorld } from './_world.ts';

/** On such a machine a prompt ends that nobody listens for and nobody asks about for so long. */
const orphanMs = 1_500;
const donor = { orphanMs };

function pass(ms: number): Promise<void> {
  const until = Date.now() + ms;
  return expect.poll(() => Date.now(), { timeout: ms + 5_000, interval: 100 }).toBeGreaterThan(until);
}

test('while its socket is open, a prompt that says nothing is nobody else’s', async () => {
  await using t = await startBridge({ sims: [{ donor }] });
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  run.progress(1, 20, '3');
  await pass(2 * orphanMs);
  expect(run.isInterrupted).toBe(false);
  await run.finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
});

test('while its socket cannot be opened again, the bridge asks about it often enough', async () => {
  await using t = await startBridge({ sims: [{ donor }] });
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  run.progress(1, 20, '3');
  t.sim.failNext('GET /ws', 503, 1_000);
  t.sim.dropSockets();
  await pass(2 * orphanMs);
  expect(t.sim.sockets()).toBe(0);
  expect(run.isInterrupted).toBe(false);
  t.sim.clearFaults();
  await expect.poll(() => t.sim.sockets()).toBe(1);
  await run.finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
});

test('a bridge that is started again in time listens under the same id, and goes on', async () => {
  await using world = await startWorld(1, { donor });
  const { sim } = world;
  {
    await using t = await world.start();
    await submit(t, 'one');
    (await sim.nextPrompt()).progress(1, 20, '3');
  }
  const { running } = sim.queue();
  await using t = await world.start();
  await expect.poll(() => sim.sockets()).toBe(1);
  await pass(2 * orphanMs);
  expect(sim.queue().running).toEqual(running);
  expect(sim.counters['POST /prompt']).toBe(1);
  expect(t.bridge.fleet.backends[0]?.slots.size).toBe(1);
});

test('one that comes too late runs the job again: it was taken for dead, and that is no failure', async () => {
  await using world = await startWorld(1, { donor });
  const { sim } = world;
  {
    await using t = await world.start({ env: { MAX_ATTEMPTS: '1' } });
    await submit(t, 'one');
    (await sim.nextPrompt()).progress(1, 20, '3');
  }
  await expect.poll(() => sim.queue().running, { timeout: 5_000 }).toEqual([]);
  await using t = await world.start({ env: { MAX_ATTEMPTS: '1' } });
  await (await sim.nextPrompt()).finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({
    attempts: [{ outcome: 'moved' }, { outcome: 'succeeded' }],
    state: { status: 'succeeded' },
  });
  expect(t.errors).toEqual([]);
});
