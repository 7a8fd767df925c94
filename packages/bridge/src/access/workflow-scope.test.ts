import { expect, test } from 'vitest';

import { isInScope } from './workflow-scope.ts';

test.each([
  [null, 'anything', true],
  [['a'], 'a', true],
  [['a'], 'ab', false],
  [['a*'], 'a', true],
  [['a*'], 'abc', true],
  [['a*'], 'ba', false],
  [['*'], '', true],
  [['*-video'], 'text-to-video', true],
  [['*-video'], 'video', false],
  [['a*b*c'], 'a-b-c', true],
  [['a*b*c'], 'acb', false],
  [['ab*ba'], 'aba', false],
  [['a', 'b*'], 'bee', true],
  [['a.c'], 'abc', false],
  [['A'], 'a', false],
  [[], 'a', false],
])('%j names %j: %j', (patterns, alias, expected) => {
  expect(isInScope(patterns, alias)).toBe(expected);
});

test('a pattern of stars does not take for ever', () => {
  expect(isInScope(['*a'.repeat(60)], 'a'.repeat(59).padEnd(128, 'b'))).toBe(false);
});
