import type { WorkflowDetail } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { sliderOf, toFields } from './form-model.ts';
import type { Field, NumberField } from './form-model.ts';

type Input = WorkflowDetail['inputs'][number];

const blank: Input = {
  name: 'prompt',
  key: '6/text',
  label: 'Prompt',
  title: 'Text',
  description: null,
  type: 'str',
  media: null,
  required: false,
  default: 'a cat',
};

function fieldOf(input: Partial<Input>, property: Record<string, unknown>): Field {
  const whole = { ...blank, ...input };
  const [field] = toFields({ inputs: [whole], input_schema: { properties: { [whole.name]: property } } });
  if (field === undefined) throw new Error('no field');
  return field;
}

test('a text has its label, its default and whether it may be empty', () => {
  expect(fieldOf({}, { type: 'string', minLength: 1 })).toMatchObject({
    kind: 'text',
    label: 'Prompt',
    default: 'a cat',
    mustNotBeEmpty: true,
  });
});

test('an input without a label is called as the schema calls it', () => {
  expect(fieldOf({ label: null }, { title: 'Text: text', type: 'string' }).label).toBe('Text: text');
});

test('a seed of 64 bits keeps all digits of its limits and of its default', () => {
  const property = { type: 'integer', minimum: 0, maximum: '18446744073709551615' };
  expect(
    fieldOf({ name: 'noise', key: '3/noise', type: 'int', default: '9007199254740993' }, property),
  ).toMatchObject({ kind: 'seed', min: '0', max: '18446744073709551615', default: '9007199254740993' });
});

test('a limit that the browser rounded to 2^64 is 2^64 - 1', () => {
  const property = { type: 'integer', minimum: 0, maximum: 2 ** 64 };
  expect(fieldOf({ type: 'int', default: 1 }, property)).toMatchObject({ max: '18446744073709551615' });
});

test('a whole number that is called seed is one, whatever its limit', () => {
  const property = { type: 'integer', minimum: 0, maximum: 4_294_967_295 };
  expect(fieldOf({ name: 'noise_seed', key: '3/noise_seed', type: 'int', default: 1 }, property).kind).toBe(
    'seed',
  );
});

test('a number takes its limits from beside the author’s own value, where that lies beyond them', () => {
  const property = {
    anyOf: [
      { type: 'integer', minimum: 1, maximum: 10 },
      { title: 'own', const: 99 },
    ],
  };
  expect(fieldOf({ name: 'steps', key: '3/steps', type: 'int', default: 99 }, property)).toMatchObject({
    kind: 'number',
    min: '1',
    max: '10',
    default: '99',
  });
});

test('options keep their type for the request and are texts in the form', () => {
  const field = fieldOf({ type: 'int', default: 8 }, { enum: [4, 8] });
  expect(field).toMatchObject({
    kind: 'choice',
    default: '8',
    options: [
      { text: '4', value: 4 },
      { text: '8', value: 8 },
    ],
  });
});

test('a file has the author’s own as its sample', () => {
  const field = fieldOf(
    { media: 'image', default: 'sample.png' },
    { 'x-media': 'image', $ref: '#/$defs/file' },
  );
  expect(field).toMatchObject({ kind: 'file', media: 'image', sample: 'sample.png' });
});

test('description pictures come to the field of their key', () => {
  const pictures = new Map([['6/text', ['data:image/png;base64,AA']]]);
  const fields = toFields({ inputs: [blank], input_schema: {} }, pictures);
  expect(fields[0]?.pictures).toEqual(['data:image/png;base64,AA']);
});

test('a slider is offered where its stops can be hit, and nowhere else', () => {
  const number = (given: Partial<NumberField>): NumberField => {
    const made = fieldOf({ name: 'width', key: '5/width', type: 'int', default: 1 }, { type: 'integer' });
    if (made.kind !== 'number') throw new Error('no number');
    return { ...made, ...given };
  };
  expect(sliderOf(number({ min: '1', max: '60', step: 1 }))).toEqual({ min: 1, max: 60, step: 1 });
  expect(sliderOf(number({ min: '0', max: '1', step: undefined, isInteger: false }))).toMatchObject({
    step: 0.01,
  });
  expect(sliderOf(number({ min: '16', max: '16384', step: 8 }))).toBeUndefined();
  expect(sliderOf(number({ min: '1' }))).toBeUndefined();
});
