import { assert, constantFrom, array, property, string, tuple } from 'fast-check';
import { expect, test } from 'vitest';

import { makeLabelled } from '../_workflow.ts';
import { nameInputs } from './name-inputs.ts';
import { resolveInputKeys } from './resolve-input-keys.ts';

const namesOf = (inputs: Parameters<typeof makeLabelled>[0]) =>
  nameInputs(makeLabelled(inputs)).map(({ name }) => name);

test.each([
  ['Prompt', 'prompt'],
  ['Negative prompt', 'negative_prompt'],
  ['  Strength (0–1)!  ', 'strength_0_1'],
  ['CFG', 'cfg'],
  ['부정 프롬프트', '부정_프롬프트'],
  ['Ünïcode ß', 'ünïcode_ß'],
  ['हिन्दी पाठ', 'हिन्दी_पाठ'],
  ['__proto__', 'proto'],
])('the label %j makes the name %j', (label, name) => {
  expect(namesOf([['text', label]])).toEqual([name]);
});

test('without a label an input has its own name, also where the label has no letter in it', () => {
  expect(namesOf([['noise_seed'], ['Steps', '???']])).toEqual(['noise_seed', 'steps']);
});

test('inputs that would be called the same have their keys, all others their names', () => {
  expect(namesOf([['text'], ['seed'], ['text'], ['x', 'Width'], ['width']])).toEqual([
    '1/text',
    'seed',
    '3/text',
    '4/x',
    '5/width',
  ]);
});

test('an input whose name has no letter either has its key', () => {
  expect(namesOf([['***']])).toEqual(['1/***']);
});

test('every name is unique and means its own input, whatever the labels are', () => {
  const names = string({ minLength: 1, maxLength: 4 }).filter(
    (name) => !name.includes('/') && name !== '__proto__',
  );
  const labels = constantFrom('A', 'a', 'a b', 'A_B', 'text', '?', '1/a', '2/text', undefined);
  assert(
    property(array(tuple(names, labels), { minLength: 1, maxLength: 6 }), (inputs) => {
      const workflow = makeLabelled(
        inputs.map(([name, label]) => (label === undefined ? [name] : [name, label])),
      );
      const named = nameInputs(workflow);
      expect(new Set(named.map(({ name }) => name)).size).toBe(named.length);
      for (const { name, input } of named)
        expect(resolveInputKeys(workflow, { [name]: 1 })).toMatchObject({
          ok: true,
          values: { [input.key]: 1 },
        });
    }),
  );
});
