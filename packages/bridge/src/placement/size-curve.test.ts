import { expect, test } from 'vitest';

import { SizeCurve } from './size-curve.ts';

/** ms at a size */
function expected(curve: SizeCurve, sizeClass: number): number {
  const estimate = curve.at(sizeClass);
  if (estimate === undefined) throw new Error('nothing is known');
  return Math.exp(estimate.mean);
}

function curveOf(seen: Record<number, number>): SizeCurve {
  const curve = new SizeCurve();
  for (const [size, ms] of Object.entries(seen)) curve.learn(Number(size), Math.log(ms));
  return curve;
}

test('nothing is expected while nothing was seen', () => {
  const curve = new SizeCurve();
  expect(curve.at(20)).toBeUndefined();
  expect(curve.exact(20)).toBeUndefined();
});

test('a size that was seen is expected as it was seen', () => {
  const curve = curveOf({ 20: 1_000, 22: 9_000 });
  expect(expected(curve, 20)).toBeCloseTo(1_000);
  expect(expected(curve, 22)).toBeCloseTo(9_000);
});

test('twice the work is expected to take twice as long, and half of it half', () => {
  const curve = curveOf({ 20: 1_000 });
  expect(expected(curve, 21)).toBeCloseTo(2_000);
  expect(expected(curve, 19)).toBeCloseTo(500);
  expect(expected(curve, 22.5)).toBeCloseTo(1_000 * 2 ** 2.5);
  expect(curve.exact(21)).toBeUndefined();
});

test('the nearest size tells', () => {
  const curve = curveOf({ 10: 1_000, 20: 1_000 });
  expect(expected(curve, 19)).toBeCloseTo(500);
  expect(expected(curve, 11)).toBeCloseTo(2_000);
});

test('the farther a size is from what was seen, the less sure it is', () => {
  const curve = curveOf({ 20: 1_000 });
  const spreads = [20, 21, 23].map((size) => curve.at(size)?.spread ?? 0);
  expect(spreads[1]).toBeGreaterThan(spreads[0] ?? 0);
  expect(spreads[2]).toBeGreaterThan(spreads[1] ?? 0);
});

test('an endless stream of sizes is forgotten, the oldest first', () => {
  const curve = new SizeCurve();
  for (let size = 0; size < 1_000; size += 1) curve.learn(size, 5);
  expect(curve.exact(0)).toBeUndefined();
  expect(curve.exact(999)).toBeDefined();
});
