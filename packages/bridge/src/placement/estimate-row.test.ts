import { expect, test } from 'vitest';

import { parseEstimateRow, parseNumbers, toEstimateRow } from './estimate-row.ts';

const key = JSON.stringify(['warm', 'portrait', 20]);

test('what was written is read again, to four digits', () => {
  const row = toEstimateRow({ n: 7, mean: 8.123_456, spread: 0.300_04 });
  expect(parseEstimateRow(key, row)).toEqual({
    parts: ['warm', 'portrait', 20],
    estimate: { n: 7, mean: 8.1235, spread: 0.3 },
  });
});

test.each([
  '',
  'nonsense',
  '{}',
  'null',
  '[]',
  '[1,2]',
  '["1",2,3]',
  '[0,8,0.1]',
  '[-1,8,0.1]',
  '[1,null,0.1]',
  '[1,51,0.1]',
  '[1,-51,0.1]',
  '[1,8,-0.1]',
  '[1,8,99]',
  '[1,1e999,0.1]',
  '[1e999,8,0.1]',
])('a damaged row is none: %s', (text) => {
  expect(parseEstimateRow(key, text)).toBeUndefined();
});

test.each(['', 'warm', '{}', '"warm"'])('a key that is not ours is none: %s', (other) => {
  expect(parseEstimateRow(other, '[1,8,0.1]')).toBeUndefined();
});

test('a list of numbers is read', () => {
  expect(parseNumbers('[3,0,1.5]')).toEqual([3, 0, 1.5]);
  expect(parseNumbers('[]')).toEqual([]);
});

test.each(['', 'nonsense', '{}', 'null', '[1,"2"]', '[1,null]', '[-1]', '[1e999]', '[[1]]'])(
  'anything else is no list of numbers: %s',
  (text) => {
    expect(parseNumbers(text)).toBeUndefined();
  },
);
