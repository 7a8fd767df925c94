import { expect, test } from 'vitest';

import { createRunTimes } from './run-times.ts';

test('knows nothing at first', () => {
  expect(createRunTimes().expect('w', 'a')).toBe(5_000);
  expect(createRunTimes(300).expect('w', 'a')).toBe(300);
});

test('the first run is the expectation; later ones move it towards them', () => {
  const times = createRunTimes();
  times.record('w', 'a', 1_000);
  expect(times.expect('w', 'a')).toBe(1_000);
  times.record('w', 'a', 2_000);
  expect(times.expect('w', 'a')).toBe(1_300);
  for (let run = 0; run < 50; run += 1) times.record('w', 'a', 2_000);
  expect(times.expect('w', 'a')).toBeCloseTo(2_000, 0);
});

test('an unknown pair falls back on the workflow elsewhere, then on the backend', () => {
  const times = createRunTimes();
  times.record('slow', 'a', 9_000);
  expect(times.expect('slow', 'b')).toBe(9_000);
  expect(times.expect('other', 'a')).toBe(9_000);
  expect(times.expect('other', 'b')).toBe(5_000);
  times.record('slow', 'b', 100);
  expect(times.expect('slow', 'b')).toBe(100);
  expect(times.expect('slow', 'a')).toBe(9_000);
});

test('a silence is judged only after a few runs, and never below a floor', () => {
  const times = createRunTimes();
  expect(times.hangLimit('w')).toBeUndefined();
  for (const ms of [1_000, 4_000]) times.recordGap('w', ms);
  expect(times.hangLimit('w')).toBeUndefined();
  times.recordGap('w', 10);
  const limit = times.hangLimit('w') ?? 0;
  expect(limit).toBeGreaterThan(20_000);
  expect(limit).toBeLessThanOrEqual(40_000);
  expect(times.hangLimit('other')).toBeUndefined();
  for (let run = 0; run < 200; run += 1) times.recordGap('w', 10);
  expect(times.hangLimit('w')).toBeLessThan(21_000);
});

test('names that look alike when joined are not mixed up', () => {
  const times = createRunTimes();
  times.record('a b', 'c', 1);
  times.record('x', 'y', 7);
  expect(times.expect('a', 'b c')).toBe(5_000);
});

test('an endless stream of workflow names does not grow it, and what is known keeps learning', () => {
  const times = createRunTimes();
  times.record('known', 'a', 1_000);
  for (let index = 0; index < 20_000; index += 1) times.record(`w${index}`, 'a', 10);
  times.record('known', 'a', 2_000);
  expect(times.expect('known', 'a')).toBe(1_300);
  expect(times.expect('w19999', 'b')).toBe(5_000);
});
