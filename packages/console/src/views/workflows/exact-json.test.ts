import { expect, test } from 'vitest';

import { canKeepNumbers, parseExact, showExact, toNumber, writeExact } from './exact-json.ts';

test('numbers are written as they were read', () => {
  expect(canKeepNumbers()).toBe(true);
  const text = '{"seed": 18446744073709551615, "scale": 2.0, "small": 1e-7}';
  expect(writeExact(parseExact(text)).replaceAll(/\s/g, '')).toBe(text.replaceAll(' ', ''));
});

test('a value is shown as people type it', () => {
  expect(showExact(parseExact('7.0'))).toBe('7.0');
  expect(showExact(parseExact('"a"'))).toBe('a');
  expect(showExact(true)).toBe('true');
  expect(toNumber(parseExact('2.5'))).toBe(2.5);
  expect(toNumber('2.5')).toBeUndefined();
});
