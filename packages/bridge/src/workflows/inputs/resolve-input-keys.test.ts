import { expect, test } from 'vitest';

import { makeLabelled } from '../_workflow.ts';
import { resolveInputKeys } from './resolve-input-keys.ts';

const workflow = makeLabelled([
  ['text', 'Prompt'],
  ['text', 'Negative prompt'],
  ['seed'],
  ['width', 'Size'],
  ['height', 'Size'],
]);

test.each([
  ['its name', 'negative_prompt'],
  ['its label', 'Negative prompt'],
  ['its key', '2/text'],
])('an input can be called by %s', (_how, given) => {
  const resolved = resolveInputKeys(workflow, { [given]: 'blurry' });
  expect(resolved).toMatchObject({ ok: true, values: { '2/text': 'blurry' } });
  expect(resolved.ok && resolved.calledAs('2/text')).toBe(given);
});

test('what was not sent is called by its name', () => {
  const resolved = resolveInputKeys(workflow, {});
  expect(resolved.ok && [resolved.calledAs('1/text'), resolved.calledAs('4/width')]).toEqual([
    'prompt',
    '4/width',
  ]);
});

test('null leaves an input at its default', () => {
  expect(resolveInputKeys(workflow, { prompt: null, seed: 0 })).toMatchObject({
    ok: true,
    values: { '3/seed': 0 },
  });
});

test('a name that is not known is refused with the nearest one, and with all there are', () => {
  expect(resolveInputKeys(workflow, { negative_promt: 'x', nonsense: 1 })).toEqual({
    ok: false,
    problems: [
      {
        key: 'negative_promt',
        message:
          'is not an input of this workflow: "negative_prompt" is meant? (its inputs: prompt, negative_prompt, seed, 4/width, 5/height)',
      },
      { key: 'nonsense', message: 'is not an input of this workflow' },
    ],
  });
});

test('names that every object has are not inputs', () => {
  for (const name of ['constructor', 'toString', '__proto__', 'null', 'undefined'])
    expect(resolveInputKeys(workflow, Object.fromEntries([[name, 1]]))).toMatchObject({ ok: false });
});

test('the same input sent twice is refused, also when one is null', () => {
  expect(resolveInputKeys(workflow, { prompt: 'a', Prompt: null })).toEqual({
    ok: false,
    problems: [{ key: 'Prompt', message: 'is the same input as "prompt": send it once' }],
  });
});

test('a label of several inputs is refused with their keys', () => {
  expect(resolveInputKeys(workflow, { Size: 8 })).toEqual({
    ok: false,
    problems: [{ key: 'Size', message: 'is the label of several inputs: say 4/width, 5/height' }],
  });
});

test('a workflow without inputs says so', () => {
  expect(resolveInputKeys({ inputs: [] }, { a: 1 })).toMatchObject({
    problems: [{ message: 'is not an input of this workflow (it has none)' }],
  });
});
