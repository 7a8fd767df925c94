import type { Base64Results } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { ended, parseBody, submit } from './_requests.ts';
import type { TestBridge } from './_start-bridge.ts';
import { nameAll, startWorld } from './_world.ts';
import { openSocket } from './_ws-client.ts';

/** Fetches the results; then they are gone. */
async function expectOneDelivery(t: TestBridge, clientId: string): Promise<void> {
  const delivered = t.nextEvent('job:delivered');
  const { files } = await parseBody<Base64Results>(t.get(`/history?clientId=${clientId}&resType=base64`));
  expect(files).toHaveLength(1);
  await delivered;
  expect((await t.get(`/history?clientId=${clientId}`)).status).toBe(204);
}

test('a prompt that still runs is followed to its end: the same attempt, the same prompt, one delivery', async () => {
  await using world = await startWorld();
  const { sim } = world;
  let run: Awaited<ReturnType<typeof sim.nextPrompt>>;
  {
    await using t = await world.start();
    await submit(t, 'one');
    run = await sim.nextPrompt();
    run.progress(5, 20, '3');
    await expect
      .poll(async () => (await t.bridge.ledger.latestOf('one'))?.state)
      .toMatchObject({ phase: 'executing' });
  }
  expect(run.isInterrupted).toBe(false);
  await using t = await world.start();
  using client = await openSocket(`${t.wsUrl}/ws?clientId=one`);
  await expect.poll(() => sim.sockets()).toBeGreaterThan(0);
  run.progress(15, 20, '3');
  expect(await client.next('progress')).toMatchObject({ status: 'progress' });
  await run.finish({ images: 1 });
  expect(await client.next('closed')).toMatchObject({ status: 'closed' });
  const job = await ended(t, 'one');
  expect(job).toMatchObject({
    attempt: 1,
    attempts: [{ promptId: run.promptId, outcome: 'succeeded' }],
    state: { status: 'succeeded' },
  });
  expect(sim.counters['POST /prompt']).toBe(1);
  await expectOneDelivery(t, 'one');
  expect(t.errors).toEqual([]);
});

test('a prompt that finished while the bridge was away is collected', async () => {
  await using world = await startWorld();
  const { sim } = world;
  let run: Awaited<ReturnType<typeof sim.nextPrompt>>;
  {
    await using t = await world.start();
    await submit(t, 'one');
    run = await sim.nextPrompt();
  }
  await run.finish({ images: 1 });
  await using t = await world.start();
  expect(await ended(t, 'one')).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
  expect(sim.counters['POST /prompt']).toBe(1);
  await expectOneDelivery(t, 'one');
});

test('a prompt that failed while the bridge was away has failed', async () => {
  await using world = await startWorld();
  {
    await using t = await world.start();
    await submit(t, 'one');
    (await world.sim.nextPrompt()).fail({ message: 'no luck' });
    await ended(t, 'one');
    await submit(t, 'two');
    (await world.sim.nextPrompt()).progress(1, 20, '3');
  }
  const [promptId] = world.sim.queue().running;
  expect(promptId).toBeDefined();
  await fetch(`${world.sim.url}/interrupt`, { method: 'POST', headers: { connection: 'close' } });
  await using t = await world.start();
  expect(await ended(t, 'one')).toMatchObject({ state: { status: 'failed' } });
  expect(await ended(t, 'two')).toMatchObject({
    state: { status: 'failed', error: { code: 'interrupted' } },
  });
});

test('a prompt that is gone is queued again, and that counts as no try', async () => {
  await using world = await startWorld();
  const { sim } = world;
  {
    await using t = await world.start();
    await submit(t, 'one');
    await sim.nextPrompt();
  }
  await sim.restart();
  await using t = await world.start({ env: { MAX_ATTEMPTS: '1' } });
  await (await sim.nextPrompt()).finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({
    excluded: [],
    attempts: [{ outcome: 'moved' }, { outcome: 'succeeded' }],
    state: { status: 'succeeded' },
  });
});

test('a ComfyUI that comes back later than the bridge: its prompt is waited for and collected', async () => {
  await using world = await startWorld();
  const { sim } = world;
  let run: Awaited<ReturnType<typeof sim.nextPrompt>>;
  {
    await using t = await world.start();
    await submit(t, 'one');
    run = await sim.nextPrompt();
  }
  await sim.refuse(true);
  await run.finish({ images: 1 });
  await using t = await world.start({ ready: false });
  await expect.poll(() => t.bridge.fleet.find('a')?.state.status).toBe('lost');
  await sim.refuse(false);
  expect(await ended(t, 'one')).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
});

test('a job whose ComfyUI is no longer listed is queued elsewhere', async () => {
  await using world = await startWorld(2);
  const [first, second] = world.sims;
  {
    await using t = await world.start();
    await submit(t, 'one');
    await first?.nextPrompt();
  }
  const env = { COMFYUI_SERVERS: nameAll(world.sims).replace(/^[^,]*,/, '') };
  await using t = await world.start({ env });
  await (await second?.nextPrompt())?.finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({
    attempts: [
      { backend: 'a', outcome: 'moved' },
      { backend: 'b', outcome: 'succeeded' },
    ],
    state: { status: 'succeeded' },
  });
});

test('a job that was being canceled is canceled there by the next process', async () => {
  await using world = await startWorld();
  const { sim } = world;
  let run: Awaited<ReturnType<typeof sim.nextPrompt>>;
  {
    await using t = await world.start();
    await submit(t, 'one');
    run = await sim.nextPrompt();
    run.progress(1, 20, '3');
    run.hang();
    const canceling = t.nextEvent('job:canceling');
    await t.post('/interrupt?clientId=one');
    await canceling;
    sim.failNext('POST /interrupt', 500, 20);
    // As a kill would: nothing more reaches the store.
    await t.bridge.close();
  }
  sim.clearFaults();
  await run.finish({ images: 1 });
  await using t = await world.start();
  expect(await ended(t, 'one')).toMatchObject({ state: { status: 'canceled' } });
  expect((await t.get('/history?clientId=one')).status).toBe(400);
});

test('a restart with many jobs under way loses and repeats none of them', async () => {
  await using world = await startWorld(3, { mode: 'free', runMs: 60 });
  const clients = Array.from({ length: 24 }, (_, index) => `c${index}`);
  let left = clients.length;
  for (let start = 0; start < 3 && left > 0; start += 1) {
    await using t = await world.start();
    if (start === 0)
      for (const clientId of clients) await submit(t, clientId, { workflow: 'upscale', '2/scale_by': 1 });
    const unfinished = () => [...t.bridge.ledger.unfinished()].length;
    await expect.poll(unfinished).toBeLessThan(left);
    left = unfinished();
  }
  await using t = await world.start();
  for (const clientId of clients) {
    const job = await ended(t, clientId);
    expect(job.state.status).toBe('succeeded');
    // A stop may come between the placement and the hand-over: such an attempt never ran.
    const ran = job.attempts.filter(({ outcome }) => outcome !== 'moved');
    expect(ran.map(({ outcome }) => outcome)).toEqual(['succeeded']);
  }
  expect(t.errors).toEqual([]);
});
