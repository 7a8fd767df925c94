import type { PromptRun, Sim } from '@comfy-bridge/comfy-sim';
import { expect, test } from 'vitest';

import { ended, proveBackends, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';
import { startWorld } from './_world.ts';

interface Slow {
  /** Where it runs far too long. */
  first: PromptRun;
  firstSim: Sim;
  /** Where it runs a second time. */
  second: PromptRun;
  secondSim: Sim;
}

/** A job that runs for an hour on one ComfyUI, by the clock of the bridge, until it runs on the other one too. */
async function runTwice(t: TestBridge, clock: { skew: number }, sims = t.sims): Promise<Slow> {
  const [a, b] = sims;
  if (a === undefined || b === undefined) throw new Error('this needs two simulated backends');
  // It has run on both before: of what nobody knows, nothing is late.
  for (const clientId of ['before-1', 'before-2']) await submit(t, clientId);
  for (const sim of [a, b]) await (await sim.nextPrompt()).finish({ images: 1 });
  for (const clientId of ['before-1', 'before-2']) await ended(t, clientId);
  await submit(t, 'slow');
  const prompts = [a, b].map(async (sim) => ({ sim, run: await sim.nextPrompt() }));
  // Where it does not run at first, nothing starts in tests that end before.
  for (const prompt of prompts) prompt.catch(() => {});
  const { sim: firstSim, run: first } = await Promise.any(prompts);
  first.start('4');
  const slots = () => t.bridge.fleet.backends.flatMap((backend) => [...backend.slots.values()]);
  await expect.poll(() => slots()[0]?.executingSince).toEqual(expect.any(Number));
  // Late, and not yet so long that it would count as hanging.
  clock.skew += 10_000;
  const [secondSim, prompt] = firstSim === a ? [b, prompts[1]] : [a, prompts[0]];
  const second = await prompt;
  if (second === undefined) throw new Error('it ran nowhere else');
  return { first, firstSim, second: second.run, secondSim };
}

function start(clock: { skew: number }, env: Record<string, string> = {}): Promise<TestBridge> {
  return startBridge({
    sims: 2,
    env: { HEDGE_SLOW_JOBS: 'on', ...env },
    overrides: { now: () => Date.now() + clock.skew },
  });
}

test('a job that takes far too long runs a second time; the second is done first, the first is interrupted', async () => {
  const clock = { skew: 0 };
  await using t = await start(clock);
  const { second, firstSim } = await runTwice(t, clock);
  await second.finish({ images: 1 });
  const job = await ended(t, 'slow');
  expect(job).toMatchObject({ attempt: 2, hedge: null, state: { status: 'succeeded' } });
  expect(job.attempts.map(({ outcome }) => outcome)).toEqual(['moved', 'succeeded']);
  await expect.poll(() => firstSim.queue()).toEqual({ running: [], pending: [] });
  expect((await t.get('/history?clientId=slow')).status).toBe(200);
  expect(t.errors).toEqual([]);
});

test('the first is done first after all: the second is interrupted', async () => {
  const clock = { skew: 0 };
  await using t = await start(clock);
  const { first, secondSim } = await runTwice(t, clock);
  await first.finish({ images: 1 });
  expect(await ended(t, 'slow')).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
  await expect.poll(() => secondSim.queue()).toEqual({ running: [], pending: [] });
  expect(t.errors).toEqual([]);
});

test('the first fails while the second runs: the second decides', async () => {
  const clock = { skew: 0 };
  await using t = await start(clock);
  const { first, second } = await runTwice(t, clock);
  first.fail({ message: 'no luck' });
  await second.finish({ images: 1 });
  expect(await ended(t, 'slow')).toMatchObject({ attempt: 2, state: { status: 'succeeded' } });
});

test('the second fails: the first goes on as if nothing had been', async () => {
  const clock = { skew: 0 };
  await using t = await start(clock);
  const { first, second } = await runTwice(t, clock);
  second.fail({ message: 'no luck' });
  await first.finish({ images: 1 });
  expect(await ended(t, 'slow')).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
});

test('a job that is given up stops on both', async () => {
  const clock = { skew: 0 };
  await using t = await start(clock);
  const { firstSim, secondSim } = await runTwice(t, clock);
  await t.post('/interrupt?clientId=slow');
  expect(await ended(t, 'slow')).toMatchObject({ state: { status: 'canceled' } });
  for (const sim of [firstSim, secondSim]) {
    await expect.poll(() => sim.queue()).toEqual({ running: [], pending: [] });
  }
});

test('off, as it is by default: nothing runs twice', async () => {
  const clock = { skew: 0 };
  await using t = await start(clock, { HEDGE_SLOW_JOBS: 'off' });
  await proveBackends(t);
  await submit(t, 'slow');
  const slow = await t.sim.nextPrompt();
  slow.start('4');
  clock.skew = 10_000;
  await submit(t, 'other', { '6/text': 'other' });
  const next = await t.sims[1]?.nextPrompt();
  expect(next?.prompt['6']?.inputs['text']).toBe('other');
  await next?.finish({ images: 1 });
  await slow.finish({ images: 1 });
  expect(await ended(t, 'slow')).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
});

test('after a restart the first run goes on, and the second is taken back', async () => {
  const clock = { skew: 0 };
  await using world = await startWorld(2);
  const env = { HEDGE_SLOW_JOBS: 'on' };
  let slow: Slow;
  {
    await using t = await world.start({ env, overrides: { now: () => Date.now() + clock.skew } });
    slow = await runTwice(t, clock, world.sims);
  }
  await using t = await world.start({ env });
  await expect.poll(() => slow.secondSim.queue()).toEqual({ running: [], pending: [] });
  await slow.first.finish({ images: 1 });
  expect(await ended(t, 'slow')).toMatchObject({ attempt: 1, hedge: null, state: { status: 'succeeded' } });
});
