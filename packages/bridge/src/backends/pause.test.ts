import { expect, test } from 'vitest';

import { isOver, noPause, pauseAfter } from './pause.ts';

test('quick work is done again after its interval', () => {
  expect(pauseAfter({ at: 5, tookMs: 20 }, { ms: 60_000, share: 0.01 })).toEqual({ from: 5, ms: 60_000 });
});

test('slow work waits until it took one per cent of the time, or another share, and an hour at most', () => {
  expect(pauseAfter({ at: 5, tookMs: 2_000 }, { ms: 60_000, share: 0.01 }).ms).toBe(198_000);
  expect(pauseAfter({ at: 5, tookMs: 2_000 }, { ms: 0, share: 0.1 }).ms).toBe(18_000);
  expect(pauseAfter({ at: 5, tookMs: 1e9 }, { ms: 0, share: 0.01 }).ms).toBe(3_600_000);
});

test('it is over when its time is up, or when the clock was set back by more', () => {
  const pause = { from: 1_000_000, ms: 500 };
  expect([1_000_499, 1_000_500, 999_600, 400].map((now) => isOver(pause, now))).toEqual([
    false,
    true,
    false,
    true,
  ]);
  expect(isOver(noPause, 0)).toBe(true);
});
