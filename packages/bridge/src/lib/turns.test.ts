import { expect, test } from 'vitest';

import { createTurns } from './turns.ts';

test('those under one key pass in the order in which they came, however late the first is', async () => {
  const turns = createTurns();
  const passed: string[] = [];
  const [first, second, third] = [turns.take('a'), turns.take('a'), turns.take('a')];
  const waiting = [
    third.wait().then(() => passed.push('third')),
    second.wait().then(() => passed.push('second')),
  ];
  third.done();
  await first.wait();
  expect(passed).toEqual([]);
  first.done();
  await second.wait();
  second.done();
  await Promise.all(waiting);
  expect(passed).toEqual(['second', 'third']);
});

test('another key does not wait', async () => {
  const turns = createTurns();
  turns.take('a');
  await expect(turns.take('b').wait()).resolves.toBeUndefined();
});

test('done twice lets nobody pass early', async () => {
  const turns = createTurns();
  const [first, second, third] = [turns.take('a'), turns.take('a'), turns.take('a')];
  first.done();
  first.done();
  await second.wait();
  let passed = false;
  const waiting = third.wait().then(() => {
    passed = true;
  });
  await Promise.resolve();
  expect(passed).toBe(false);
  second.done();
  await waiting;
});
