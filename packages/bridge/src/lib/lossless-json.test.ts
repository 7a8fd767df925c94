import { expect, test } from 'vitest';

import { parseLossless, parseLosslessDocument, stringifyLossless } from './lossless-json.ts';

test('a 64-bit seed survives both ways, digit for digit', () => {
  const text = '{"seed":18446744073709551615,"negative":-9223372036854775808}';
  const value = parseLossless(text);
  expect(value).toEqual({ seed: 18446744073709551615n, negative: -9223372036854775808n });
  expect(stringifyLossless(value)).toBe(text);
});

test('what a double holds exactly stays a number', () => {
  expect(parseLossless('[9007199254740991, -9007199254740991, 0, 1.5, 1e3, 7.0]')).toEqual([
    9007199254740991, -9007199254740991, 0, 1.5, 1000, 7,
  ]);
  expect(parseLossless('9007199254740993')).toBe(9007199254740993n);
});

test('floats beyond the safe integers stay floats', () => {
  expect(parseLossless('1e30')).toBe(1e30);
  expect(parseLossless('12345678901234567890.5')).toBe(12345678901234567000);
});

test('everything but numbers is as JSON has it', () => {
  const text = '{"a":[null,true,"x\\u0000\\"9007199254740993"],"":{}}';
  expect(parseLossless(text)).toEqual(JSON.parse(text));
  expect(stringifyLossless(parseLossless(text))).toBe(text);
});

test('a text that is no JSON throws a SyntaxError', () => {
  for (const text of ['', '{', '01', 'NaN', "{'a':1}"])
    expect(() => parseLossless(text)).toThrow(SyntaxError);
});

test('indents when asked', () => {
  expect(stringifyLossless({ a: 2n ** 64n }, 2)).toBe('{\n  "a": 18446744073709551616\n}');
});

test('a document remembers which numbers were written as floats, per object', () => {
  const { value, floats } = parseLosslessDocument(
    '{"a":7.0,"b":7,"c":1e2,"d":{"a":20,"x":0.5},"e":18446744073709551615}',
  );
  expect(value).toEqual({ a: 7, b: 7, c: 100, d: { a: 20, x: 0.5 }, e: 18446744073709551615n });
  const outer = value as { d: object };
  expect(floats.get(outer)).toEqual(new Set(['a', 'c']));
  expect(floats.get(outer.d)).toEqual(new Set(['x']));
});
