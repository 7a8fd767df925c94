import { expect, test } from 'vitest';

import { layoutPlot, rangeOf, roundUp } from './plot-layout.ts';

const frame = { from: 0, to: 100, max: 10, width: 200, height: 50, gapMs: 30 };

test('a curve goes from edge to edge, the largest value at the top', () => {
  const points = [
    { at: 0, value: 0 },
    { at: 30, value: 5 },
    { at: 60, value: 10 },
  ];
  expect(layoutPlot(points, frame)).toEqual({
    line: 'M0 50L60 25L120 0',
    area: 'M0 50L0 50L60 25L120 0L120 50Z',
  });
});

test('nothing is drawn where nothing is known: not over a null, and not over a long gap', () => {
  const points = [
    { at: 0, value: 10 },
    { at: 10, value: null },
    { at: 20, value: 10 },
    { at: 100, value: 10 },
  ];
  expect(layoutPlot(points, frame).line).toBe('M0 0h0.01M40 0h0.01M200 0h0.01');
});

test('values beyond the frame stay in it', () => {
  const points = [
    { at: -10, value: 3 },
    { at: 10, value: 99 },
    { at: 20, value: -1 },
    { at: 101, value: 3 },
  ];
  expect(layoutPlot(points, frame).line).toBe('M20 0L40 50');
});

test('a plot of nothing is empty, and has no range', () => {
  expect(layoutPlot([], frame)).toEqual({ line: '', area: '' });
  expect(rangeOf([{ at: 1, value: null }])).toBeUndefined();
});

test('the range tells the least, the most and the last that is known', () => {
  const values = [3, 9, 2, 4, null];
  expect(rangeOf(values.map((value, at) => ({ at, value })))).toEqual({ least: 2, most: 9, last: 4 });
});

test.each([
  [0, 1],
  [1, 1],
  [1.5, 2],
  [3, 5],
  [10, 10],
  [11, 20],
  [999, 1000],
])('the upper edge for %d is %d', (value, edge) => {
  expect(roundUp(value)).toBe(edge);
});
