import { expect, test } from 'vitest';

import { checkField, checkForm } from './check-values.ts';
import type { ChoiceField, FileField, NumberField, SeedField, TextField } from './form-model.ts';
import { defaultValues } from './form-values.ts';

const base = { name: 'x', label: 'X', description: undefined, pictures: [], isRequired: false };
const text: TextField = { ...base, kind: 'text', default: '', mustNotBeEmpty: false };
const whole: NumberField = {
  ...base,
  kind: 'number',
  isInteger: true,
  min: '1',
  max: '60',
  step: 1,
  multipleOf: undefined,
  default: '20',
};
const seed: SeedField = { ...base, kind: 'seed', min: '0', max: '18446744073709551615', default: '1' };
const choice: ChoiceField = { ...base, kind: 'choice', options: [{ text: 'a', value: 'a' }], default: 'a' };
const file: FileField = { ...base, kind: 'file', media: 'image', sample: undefined };

function check(field: Parameters<typeof checkField>[0], value: string) {
  return checkField(field, { values: { x: value }, files: {}, random: {} })?.code;
}

test('numbers are checked as they are typed', () => {
  expect(check(whole, '20')).toBeUndefined();
  expect(check(whole, ' +7 ')).toBeUndefined();
  expect(check(whole, 'many')).toBe('not-a-number');
  expect(check(whole, '1.5')).toBe('not-whole');
  expect(check(whole, '0')).toBe('too-small');
  expect(check(whole, '61')).toBe('too-large');
  expect(check(whole, '')).toBeUndefined();
});

test('a decimal comma is a point', () => {
  const part: NumberField = { ...whole, isInteger: false, min: '0', max: '1', default: '0' };
  expect(check(part, '0,5')).toBeUndefined();
  expect(check(part, '1,5')).toBe('too-large');
});

test('between two steps, both are named', () => {
  const problem = checkField(
    { ...whole, min: '64', max: '1024', multipleOf: 8, default: '512' },
    { values: { x: '515' }, files: {}, random: {} },
  );
  expect(problem).toEqual({ code: 'between-steps', below: '512', above: '520' });
});

test('a seed is compared digit for digit', () => {
  expect(check(seed, '18446744073709551615')).toBeUndefined();
  expect(check(seed, '18446744073709551616')).toBe('too-large');
  expect(check(seed, '')).toBe('missing');
  expect(checkField(seed, { values: { x: '' }, files: {}, random: { x: true } })).toBeUndefined();
});

test('the author’s own value is taken even beyond the limits', () => {
  expect(check({ ...whole, default: '99' }, '99')).toBeUndefined();
});

test('a text is bounded by its bytes, and not empty where it must not be', () => {
  expect(check(text, '가'.repeat(349_526))).toBe('too-long');
  expect(check(text, 'x'.repeat(1_048_576))).toBeUndefined();
  expect(check(text, 'a\0b')).toBe('bad-text');
  expect(check({ ...text, mustNotBeEmpty: true }, '')).toBe('missing');
});

test('a choice is one of its options', () => {
  expect(check(choice, 'a')).toBeUndefined();
  expect(check(choice, 'b')).toBe('not-an-option');
});

test('a file that is on its way, or did not arrive, holds the form back', () => {
  const about = { name: 'a.png', size: 1, contentType: 'image/png' };
  const states = {
    uploading: { kind: 'uploading', ...about, share: 0.5 },
    'upload-failed': { kind: 'failed', ...about, message: '', canGoOn: true },
  } as const;
  for (const [code, state] of Object.entries(states))
    expect(checkField(file, { values: {}, files: { x: state }, random: {} })?.code).toBe(code);
  expect(checkField({ ...file, isRequired: true }, { values: {}, files: {}, random: {} })?.code).toBe(
    'file-missing',
  );
});

test('the form as its author left it has no problems', () => {
  const fields = [text, whole, seed, choice, file].map((field, index) => ({ ...field, name: `f${index}` }));
  expect(checkForm(fields, defaultValues(fields)).size).toBe(0);
});
