import { expect, test } from 'vitest';

import { isDeeperThan } from './json-depth.ts';

test.each([
  ['1', 0, false],
  ['[]', 0, true],
  ['[]', 1, false],
  ['{"a": [1, {"b": []}], "c": [[]]}', 4, false],
  ['{"a": [1, {"b": []}], "c": [[]]}', 3, true],
  ['"[[[["', 0, false],
  ['["\\"[[[", "\\\\", []]', 2, false],
  ['["\\\\", [[]]]', 2, true],
  ['["[', 1, false],
  ['[][][]', 1, false],
])('%s is deeper than %d: %s', (text, levels, expected) => {
  expect(isDeeperThan(text, levels)).toBe(expected);
});

test('a string of quotes and slashes takes no longer than it is long', () => {
  expect(isDeeperThan(`"${'\\"'.repeat(100_000)}"`, 1)).toBe(false);
});
