import { expect, test } from 'vitest';

import { createRunningState } from './running-state.ts';

const long = 60_000;

test('sleeps for its time', async () => {
  const before = performance.now();
  await createRunningState().sleep(20);
  expect(performance.now() - before).toBeGreaterThanOrEqual(19);
});

test('a wake ends the sleep at once and the loop goes on', async () => {
  const state = createRunningState();
  const slept = state.sleep(long);
  state.wake();
  await slept;
  expect(state.shouldRun()).toBe(true);
  expect(state.signal.aborted).toBe(false);
});

test('a stop ends the sleep and the loop, and no later sleep begins', async () => {
  const state = createRunningState();
  const slept = state.sleep(long);
  state.stop();
  await slept;
  expect(state.shouldRun()).toBe(false);
  expect(state.signal.aborted).toBe(true);
  await state.sleep(long);
});

test('waking one that does not sleep does nothing', async () => {
  const state = createRunningState();
  state.wake();
  await state.sleep(1);
  expect(state.shouldRun()).toBe(true);
});
