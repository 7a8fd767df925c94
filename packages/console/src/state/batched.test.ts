import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { effectScope } from 'vue';

import { useBatched } from './batched.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function start() {
  const applied: [string, number][][] = [];
  const scope = effectScope();
  const put = scope.run(() => useBatched<string, number>((changes) => applied.push([...changes]), 100));
  if (put === undefined) throw new Error('the scope is over');
  return { applied, put, scope };
}

test('the first comes at once, what follows soon comes together, the newest of each', () => {
  const { applied, put } = start();
  put('a', 1);
  put('a', 2);
  put('b', 1);
  put('a', 3);
  expect(applied).toEqual([[['a', 1]]]);
  vi.advanceTimersByTime(100);
  expect(applied).toEqual([
    [['a', 1]],
    [
      ['a', 3],
      ['b', 1],
    ],
  ]);
});

test('after a pause the next comes at once again', () => {
  const { applied, put } = start();
  put('a', 1);
  vi.advanceTimersByTime(250);
  put('a', 2);
  expect(applied).toEqual([[['a', 1]], [['a', 2]]]);
});

test('nothing comes after the view is gone', () => {
  const { applied, put, scope } = start();
  put('a', 1);
  put('a', 2);
  scope.stop();
  vi.advanceTimersByTime(1000);
  expect(applied).toEqual([[['a', 1]]]);
});
