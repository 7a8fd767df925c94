import { expect, test } from 'vitest';

import { longestDelayMs, toRetryDelay } from './retry-schedule.ts';

const planned = ['5 s', '5 min', '30 min', '2 h', '5 h', '10 h', '14 h', '20 h', '24 h'];
const units: Record<string, number> = { s: 1_000, min: 60_000, h: 3_600_000 };

test('nine times it is tried again, later and later, and then no more', () => {
  const expected = planned.map((text) => {
    const [count = '', unit = ''] = text.split(' ');
    return Number(count) * units[unit]!;
  });
  const delays = expected.map((_, index) => toRetryDelay(index + 1, { random: 0.5 }));
  expect(delays).toEqual(expected);
  expect(toRetryDelay(10, { random: 0.5 })).toBeUndefined();
});

test('each delay lies within a fifth of what is planned', () => {
  expect(toRetryDelay(2, { random: 0 })).toBe(240_000);
  expect(toRetryDelay(2, { random: 1 })).toBe(360_000);
});

test('an endpoint may ask for more time, not for less, and never for years', () => {
  expect(toRetryDelay(1, { random: 0.5, askedMs: 60_000 })).toBe(60_000);
  expect(toRetryDelay(1, { random: 0.5, askedMs: 1 })).toBe(5_000);
  expect(toRetryDelay(1, { random: 0.5, askedMs: Number.MAX_SAFE_INTEGER })).toBe(longestDelayMs);
  expect(toRetryDelay(10, { random: 0.5, askedMs: 60_000 })).toBeUndefined();
});
