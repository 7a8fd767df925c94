import { expect, test } from 'vitest';

import { createTokenBuckets } from './token-bucket.ts';

function start() {
  const clock = { now: 1_000_000 };
  return { clock, buckets: createTokenBuckets({ now: () => clock.now, windowMs: 60_000 }) };
}

test('a window may come at once, and then as much as flows in', () => {
  const { clock, buckets } = start();
  const taken = Array.from({ length: 7 }, () => buckets.take('a', 6));
  expect(taken.map(({ ok }) => ok)).toEqual([true, true, true, true, true, true, false]);
  expect(taken.map(({ remaining }) => remaining)).toEqual([5, 4, 3, 2, 1, 0, 0]);
  expect(taken.at(-1)?.resetSeconds).toBe(10);
  clock.now += 9_000;
  expect(buckets.take('a', 6)).toMatchObject({ ok: false, resetSeconds: 1 });
  clock.now += 1_000;
  expect(buckets.take('a', 6).ok).toBe(true);
  expect(buckets.take('a', 6).ok).toBe(false);
  clock.now += 3_600_000;
  expect(buckets.take('a', 6)).toMatchObject({ ok: true, remaining: 5, resetSeconds: 10 });
});

test('each name has its own, and to look takes nothing', () => {
  const { buckets } = start();
  expect(buckets.take('a', 1).ok).toBe(true);
  expect(buckets.look('a', 1).ok).toBe(false);
  expect(buckets.look('b', 1).ok).toBe(true);
  expect(buckets.take('b', 1).ok).toBe(true);
});

test('a clock that is set back gives nothing away, and takes nothing', () => {
  const { clock, buckets } = start();
  buckets.take('a', 2);
  clock.now -= 30_000;
  expect(buckets.take('a', 2)).toMatchObject({ ok: true, remaining: 0 });
  expect(buckets.take('a', 2).ok).toBe(false);
});

test('a limit that is lowered holds at once', () => {
  const { buckets } = start();
  buckets.take('a', 100);
  expect(buckets.take('a', 2)).toMatchObject({ ok: true, remaining: 1 });
});
