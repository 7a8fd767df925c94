import { expect, test } from 'vitest';

import { isMatch, parseRange } from './byte-range.ts';

test.each([
  ['bytes=0-0', { start: 0, end: 0 }],
  ['bytes=0-99', { start: 0, end: 99 }],
  ['bytes=10-', { start: 10, end: 99 }],
  ['bytes=-10', { start: 90, end: 99 }],
  ['bytes=-1000', { start: 0, end: 99 }],
  ['bytes=50-1000', { start: 50, end: 99 }],
  ['Bytes = 5 - 9 ', { start: 5, end: 9 }],
])('%s of a hundred bytes is one range', (header, range) => {
  expect(parseRange(header, 100)).toEqual(range);
});

test.each(['bytes=100-', 'bytes=100-200', 'bytes=-0'])('%s of a hundred bytes cannot be served', (header) => {
  expect(parseRange(header, 100)).toBe('unsatisfiable');
});

test.each([
  undefined,
  '',
  'bytes=',
  'bytes=-',
  'bytes=5-1',
  'bytes=0-1,5-6',
  'items=0-1',
  'bytes=a-b',
  'bytes=1e3-',
])('%s is answered with the whole', (header) => {
  expect(parseRange(header, 100)).toBeUndefined();
});

test('an entity tag is found in a list, weak or strong', () => {
  expect(isMatch('"a", W/"b"', '"b"')).toBe(true);
  expect(isMatch('*', '"b"')).toBe(true);
  expect(isMatch('"a"', '"b"')).toBe(false);
  expect(isMatch('"a"', undefined)).toBe(false);
});
