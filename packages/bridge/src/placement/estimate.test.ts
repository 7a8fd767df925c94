import { expect, test } from 'vitest';

import { learn } from './estimate.ts';
import type { Estimate } from './estimate.ts';

function learnAll(values: readonly number[], from?: Estimate): Estimate {
  let estimate = from;
  for (const value of values) estimate = learn(estimate, value);
  if (estimate === undefined) throw new Error('nothing was observed');
  return estimate;
}

test('the first observation is the estimate', () => {
  expect(learn(undefined, 5)).toMatchObject({ n: 1, mean: 5 });
});

test('equal observations make it sure', () => {
  const { mean, spread } = learnAll(Array.from({ length: 30 }, () => 7));
  expect(mean).toBe(7);
  expect(spread).toBeLessThan(0.05);
});

test('one outlier moves it by less than a tenth of its distance', () => {
  const before = learnAll(Array.from({ length: 20 }, () => 7));
  const after = learn(before, 12);
  expect(after.mean - before.mean).toBeLessThan(0.5);
});

test('a lasting change is followed within ten observations', () => {
  const before = learnAll(Array.from({ length: 20 }, () => 7));
  const { mean } = learnAll(
    Array.from({ length: 10 }, () => 9),
    before,
  );
  expect(mean).toBeGreaterThan(8.5);
});
