import { expect, test } from 'vitest';

import { indentJson, itemSpans, memberSpans, memberText } from './json-text.ts';

test('the items of a list stand where they are written', () => {
  const text = ' [ 1, "a,]\\"", {"b": [2, 3]} , [], null ]';
  expect(itemSpans(text).map(({ start, end }) => text.slice(start, end))).toEqual([
    '1',
    '"a,]\\""',
    '{"b": [2, 3]}',
    '[]',
    'null',
  ]);
  expect(itemSpans('[ ]')).toEqual([]);
});

test('the members of an object are found by key, escapes and all', () => {
  const text = '{"a": 1e3, "\\u0062" : {"a": 2}, "c":[{"a": 3}]}';
  expect(memberSpans(text).map(({ key, start, end }) => [key, text.slice(start, end)])).toEqual([
    ['a', '1e3'],
    ['b', '{"a": 2}'],
    ['c', '[{"a": 3}]'],
  ]);
  expect(memberText(text, 'b')).toBe('{"a": 2}');
  expect(memberText(text, 'd')).toBeUndefined();
});

test('of two members of one name the last counts, as for JSON.parse', () => {
  expect(memberText('{"a": 1, "a": 2}', 'a')).toBe('2');
});

test('indenting changes white space alone: 7.0, 2^64 and the order of keys stay', () => {
  const text = '{"10":{"a":7.0,"b":18446744073709551615},"2":[ ],"x":{},"y":["a: b,\\"",[1,-2.5e-3]]}';
  expect(indentJson(text)).toBe(
    `{\n  "10": {\n    "a": 7.0,\n    "b": 18446744073709551615\n  },\n  "2": [],\n  "x": {},\n  "y": [\n    "a: b,\\"",\n    [\n      1,\n      -2.5e-3\n    ]\n  ]\n}`,
  );
});

test('indenting twice is indenting once, and means the same', () => {
  const value = { a: [1, { b: 'x\n"{', c: [] }], 'ü,': true, z: null };
  const once = indentJson(JSON.stringify(value));
  expect(once).toBe(JSON.stringify(value, null, 2));
  expect(indentJson(once)).toBe(once);
});

test('what is nested very deeply does not grow out of bounds', () => {
  const deep = '['.repeat(5_000) + ']'.repeat(5_000);
  const text = indentJson(deep);
  expect(text.length).toBeLessThan(500_000);
  // As text: comparing so deep a value may need more stack than there is.
  expect(text.replaceAll(/\s/g, '')).toBe(deep);
});
