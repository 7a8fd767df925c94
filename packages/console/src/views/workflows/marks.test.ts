import { readFile } from 'node:fs/promises';

import { expect, test } from 'vitest';

import { parseExact, writeExact } from './exact-json.ts';
import { applyMarks, listMarkable } from './marks.ts';
import type { MarkableInput } from './marks.ts';

const sample = async () =>
  parseExact(await readFile(new URL('../../../../../workflows/upscale.json', import.meta.url), 'utf8'));

test('values are listed with their marks, marked ones first and in their order', async () => {
  const listed = listMarkable(await sample());
  expect(listed.filter(({ isMarked }) => isMarked).map(({ key, label }) => [key, label])).toEqual([
    ['1/image', 'Picture'],
    ['2/scale_by', 'Factor'],
    ['2/upscale_method', 'Method'],
  ]);
  expect(listed.find(({ key }) => key === '2/scale_by')).toMatchObject({
    value: '2.0',
    isNumber: true,
    min: '1',
    max: '4',
  });
  // A link is no value.
  expect(listed.some(({ key }) => key === '2/image')).toBe(false);
});

test('marks that nobody changed leave the file as it was', async () => {
  const prompt = await sample();
  expect(writeExact(applyMarks(prompt, listMarkable(prompt)))).toBe(writeExact(prompt));
});

test('an input can be marked, named and limited, and its mark taken away', async () => {
  const prompt = await sample();
  const changed = listMarkable(prompt).map((input) => {
    if (input.key === '2/scale_by') return { ...input, isMarked: false };
    if (input.key === '3/filename_prefix') return { ...input, isMarked: true, label: ' Name ', order: '9' };
    return input;
  });
  const after = listMarkable(parseExact(writeExact(applyMarks(prompt, changed))));
  expect(after.filter(({ isMarked }) => isMarked).map(({ key, label }) => [key, label])).toEqual([
    ['1/image', 'Picture'],
    ['2/upscale_method', 'Method'],
    ['3/filename_prefix', 'Name'],
  ]);
});

test('what the page does not know of a mark stays: further inputs, options, and that a node is an output', () => {
  const also = ['7/text'];
  const meta = {
    title: 'T',
    apiinput: 'text,linked',
    bridge: { v: 1, output: true, inputs: [{ name: 'text', also, options: ['a'] }] },
  };
  const prompt = { 6: { class_type: 'A', inputs: { text: 'a', linked: ['5', 0] }, _meta: meta } };
  const after = applyMarks(prompt, listMarkable(prompt));
  expect(after).toEqual({ 6: { ...prompt[6], _meta: { ...meta, apiinput: 'text,linked' } } });
});

test('a limit that the field hands over as a number is one', () => {
  const prompt = { 1: { class_type: 'A', inputs: { n: 1 }, _meta: {} } };
  const [input] = listMarkable(prompt);
  const typed: unknown = { ...input, isMarked: true, max: 5 };
  expect(applyMarks(prompt, [typed as MarkableInput])).toMatchObject({
    1: { _meta: { bridge: { inputs: [{ max: 5 }] } } },
  });
});

test('a number that is none is left out rather than written', () => {
  const prompt = { 1: { class_type: 'A', inputs: { n: 1 }, _meta: {} } };
  const [input] = listMarkable(prompt);
  if (input === undefined) throw new Error('nothing listed');
  const after = applyMarks(prompt, [{ ...input, isMarked: true, min: 'x', max: '5' }]);
  expect(after).toMatchObject({
    1: { _meta: { apiinput: 'n', bridge: { inputs: [{ name: 'n', max: 5 }] } } },
  });
});
