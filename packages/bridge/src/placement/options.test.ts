import { expect, test } from 'vitest';

import { findOption } from './options.ts';

test('a choice is found as the list spells it', () => {
  expect(findOption(['euler', 'dpmpp_2m'], 'dpmpp_2m')).toBe('dpmpp_2m');
  expect(findOption(['sdxl\\base.ckpt'], 'sdxl/base.ckpt')).toBe('sdxl\\base.ckpt');
  expect(findOption(['sdxl/base.ckpt'], 'sdxl\\base.ckpt')).toBe('sdxl/base.ckpt');
});

test('what a list does not have is not found', () => {
  expect(findOption(['euler'], 'EULER')).toBeUndefined();
  expect(findOption(['sdxl/base.ckpt'], 'base.ckpt')).toBeUndefined();
  expect(findOption([], 'euler')).toBeUndefined();
});

test('numbers and booleans are choices like any other, also zero and false', () => {
  expect(findOption([0, 512, 1_024], 0)).toBe(0);
  expect(findOption([512, 1_024], 768)).toBeUndefined();
  expect(findOption([true, false], false)).toBe(false);
  expect(findOption([true], false)).toBeUndefined();
});

test('an empty text is a choice', () => {
  expect(findOption(['', 'a'], '')).toBe('');
});

test('two lists do not answer for each other', () => {
  const [long, short] = [['euler', 'ddim'], ['euler']];
  expect(findOption(long, 'ddim')).toBe('ddim');
  expect(findOption(short, 'ddim')).toBeUndefined();
  expect(findOption(long, 'ddim')).toBe('ddim');
});

test('a choice that the list has as it is stays as it is', () => {
  expect(findOption(['a/b.ckpt', 'a\\b.ckpt'], 'a/b.ckpt')).toBe('a/b.ckpt');
  expect(findOption(['a/b.ckpt', 'a\\b.ckpt'], 'a\\b.ckpt')).toBe('a\\b.ckpt');
});

test('true is not the text "true": ComfyUI tells them apart, and nobody spells it otherwise', () => {
  expect(findOption(['true', 'false'], true)).toBeUndefined();
});
