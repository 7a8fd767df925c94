import { expect, test } from 'vitest';

import { createFrameBudget } from './frame-budget.ts';

test('what a ComfyUI sends at work is taken, window after window', () => {
  const budget = createFrameBudget({ windowMs: 100, frames: 10, bytes: 1000 });
  for (let now = 0; now < 5000; now += 20) expect(budget.add(100, now)).toBe('take');
});

test('too many frames in a window pause the reading until it ends', () => {
  const budget = createFrameBudget({ windowMs: 100, frames: 3, bytes: 1000 });
  expect([budget.add(1, 0), budget.add(1, 10), budget.add(1, 30)]).toEqual(['take', 'take', 'pause']);
  expect(budget.restMs(30)).toBe(70);
  expect(budget.add(1, 100)).toBe('take');
});

test('too many bytes in a window do so as well', () => {
  const budget = createFrameBudget({ windowMs: 100, frames: 100, bytes: 1000 });
  expect(budget.add(999, 0)).toBe('take');
  expect(budget.add(1, 1)).toBe('pause');
});

test('what comes in heaps in spite of a pause is passed over, until the window ends', () => {
  const budget = createFrameBudget({ windowMs: 100, frames: 2, bytes: 1000 });
  const verdicts = Array.from({ length: 10 }, () => budget.add(1, 0));
  expect(verdicts.filter((verdict) => verdict === 'drop')).toHaveLength(2);
  expect(budget.add(1, 100)).toBe('take');
});
