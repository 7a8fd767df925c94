import { expect, test } from 'vitest';

import { takeDraft, toDraft } from './draft.ts';
import type { Field } from './form-model.ts';
import { defaultValues, drawSeeds, takeValues, toInputs } from './form-values.ts';
import { randomSeed } from './seed.ts';
import { parseShareText, toShareText } from './share-link.ts';

const base = { description: undefined, pictures: [], isRequired: false };
const fields: readonly Field[] = [
  { ...base, name: 'prompt', label: 'Prompt', kind: 'text', default: 'a cat', mustNotBeEmpty: false },
  { ...base, name: 'api_key', label: 'Key', kind: 'text', default: '', mustNotBeEmpty: false },
  { ...base, name: 'seed', label: 'Seed', kind: 'seed', min: '0', max: '18446744073709551615', default: '7' },
  {
    ...{ ...base, name: 'cfg', label: 'CFG', kind: 'number', isInteger: false, default: '8' },
    ...{ min: '0', max: '100', step: 0.1, multipleOf: undefined },
  },
  {
    ...{ ...base, name: 'size', label: 'Size', kind: 'choice', default: '4' },
    options: [
      { text: '4', value: 4 },
      { text: '8', value: 8 },
    ],
  },
  { ...base, name: 'tile', label: 'Tile', kind: 'switch', default: false },
  { ...base, name: 'image', label: 'Image', kind: 'file', media: 'image', sample: 'sample.png' },
];
const asset = '9d602d3f-9c68-4242-97f1-091d4c42a037';
const ready = { kind: 'ready', ref: asset, name: 'a.png', size: 5, contentType: 'image/png' } as const;

test('a form becomes the inputs of a job, each in its type', () => {
  const form = defaultValues(fields);
  Object.assign(form.values, { cfg: '7,5', size: '8', tile: true, seed: '18446744073709551615' });
  form.files['image'] = ready;
  expect(toInputs(fields, form)).toEqual({
    ...{ prompt: 'a cat', api_key: '', seed: '18446744073709551615', cfg: 7.5, size: 8, tile: true },
    image: asset,
  });
});

test('without a file the author’s sample counts, and an empty number is the author’s', () => {
  const form = defaultValues(fields);
  form.values['cfg'] = '';
  const inputs = toInputs(fields, form);
  expect(inputs).not.toHaveProperty('image');
  expect(inputs).not.toHaveProperty('cfg');
});

test('a seed is drawn anew unless somebody set it', () => {
  const form = defaultValues(fields);
  drawSeeds(fields, form);
  const first = form.values['seed'];
  expect(first).not.toBe('7');
  form.random['seed'] = false;
  drawSeeds(fields, form);
  expect(form.values['seed']).toBe(first);
});

test('every seed from the least to the greatest can be drawn', () => {
  const full = { min: '5', max: '18446744073709551615' };
  expect(randomSeed(full, (bytes) => bytes.fill(0))).toBe('5');
  // 2^128 - 1 is the last of the rest of a division by 2^64 - 5.
  expect(BigInt(randomSeed(full, (bytes) => bytes.fill(255)))).toBeLessThanOrEqual(2n ** 64n - 1n);
  const range = { min: '1', max: '3' };
  const drawn = new Set(Array.from({ length: 200 }, () => randomSeed(range)));
  expect([...drawn].sort()).toEqual(['1', '2', '3']);
});

test('values of a job fill the form; its seed stays as it was', () => {
  const form = defaultValues(fields);
  takeValues(fields, form, { prompt: 'a dog', seed: '12345678901234567890', size: 8, other: 'x', cfg: null });
  expect(form.values).toMatchObject({ prompt: 'a dog', seed: '12345678901234567890', size: '8', cfg: '8' });
  expect(form.random['seed']).toBe(false);
});

test('a draft brings everything back but what was still on its way', () => {
  const form = defaultValues(fields);
  form.values['prompt'] = '등대';
  form.files['image'] = ready;
  const other = defaultValues(fields);
  takeDraft(fields, other, toDraft(form));
  expect(other).toEqual(form);

  form.files['image'] = { kind: 'uploading', name: 'a.png', size: 5, contentType: '', share: 0.5 };
  const empty = defaultValues(fields);
  takeDraft(fields, empty, toDraft(form));
  expect(empty.files).toEqual({});
});

test('a damaged draft is passed over', () => {
  const form = defaultValues(fields);
  for (const text of ['{', 'null', '[]', '{"values":7,"files":{"image":null}}'])
    takeDraft(fields, form, text);
  expect(form).toEqual(defaultValues(fields));
});

test('a link holds what was changed, and neither files nor secrets', () => {
  const form = defaultValues(fields);
  Object.assign(form.values, { prompt: '등대 🌅', api_key: 'very secret', tile: true });
  form.files['image'] = ready;
  const shared = toShareText(fields, form) ?? '';
  expect(shared).toMatch(/^[\w-]+$/);
  expect(parseShareText(shared)).toEqual({ prompt: '등대 🌅', tile: true });
});

test('a text too long for an address makes no link, and a damaged one is none', () => {
  const form = defaultValues(fields);
  form.values['prompt'] = 'x'.repeat(10_000);
  expect(toShareText(fields, form)).toBeUndefined();
  for (const text of ['%', 'AAAA', btoa('[1]'), btoa('7')]) expect(parseShareText(text)).toBeUndefined();
});
