import { expect, test } from 'vitest';

import { fitted, pan, zoom } from './zoom.ts';

test('zooming keeps the point under the pointer where it is', () => {
  const at = { x: 100, y: -40 };
  const before = { scale: 2, x: 30, y: 10 };
  const after = zoom(before, 1.5, at);
  const pointOf = (view: typeof before) => [(at.x - view.x) / view.scale, (at.y - view.y) / view.scale];
  expect(after.scale).toBe(3);
  expect(pointOf(after)[0]).toBeCloseTo(pointOf(before)[0] ?? NaN);
  expect(pointOf(after)[1]).toBeCloseTo(pointOf(before)[1] ?? NaN);
});

test('a picture gets no smaller than its window, and is in the middle then', () => {
  expect(zoom({ scale: 1.2, x: 50, y: 50 }, 0.5)).toEqual(fitted);
});

test('a picture gets no larger than sixteen times', () => {
  expect(zoom(fitted, 1_000).scale).toBe(16);
});

test('a picture cannot be pushed out of its window', () => {
  const far = pan({ scale: 2, x: 0, y: 0 }, { x: 9_999, y: -9_999 }, { width: 400, height: 300 });
  expect(far).toEqual({ scale: 2, x: 400, y: -300 });
});
