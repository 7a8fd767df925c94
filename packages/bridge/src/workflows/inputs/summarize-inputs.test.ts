import { expect, test } from 'vitest';

import { makeWorkflow } from '../_workflow.ts';
import { summarizeInputs } from './summarize-inputs.ts';

const none = () => undefined;
const textOf = (text: unknown) => ({ '1': { class_type: 'A', inputs: { text } } });

test('the first text that was given tells a job from others, in one line that is not too long', () => {
  const { workflow, findDefinition } = makeWorkflow([
    ['seed', { value: 7 }],
    ['image', { value: 'a.png', mark: { format: 'image' } }],
    ['sampler', { value: 'euler', spec: { type: 'COMBO', options: ['euler', 'ddim'] } }],
    ['text', { value: 'the author wrote this' }],
    ['text', { value: 'low quality' }],
  ]);
  const prompt = structuredClone(workflow.prompt);
  const node = prompt['4'];
  if (node === undefined) throw new Error('the workflow has no fourth node');
  expect(summarizeInputs(workflow, prompt, findDefinition)).toBe('the author wrote this');
  node.inputs['text'] = '  a lighthouse\n\n at   dawn ';
  expect(summarizeInputs(workflow, prompt, findDefinition)).toBe('a lighthouse at dawn');
  node.inputs['text'] = '등대'.repeat(100);
  const summary = summarizeInputs(workflow, prompt, findDefinition) ?? '';
  expect(summary).toMatch(/^등대.*…$/);
  expect(summary).toHaveLength(120);
  node.inputs['text'] = ' ';
  expect(summarizeInputs(workflow, prompt, findDefinition)).toBe('low quality');
});

test('what no caller may set is not told', () => {
  const { workflow, findDefinition } = makeWorkflow([['seed', { value: 7 }]]);
  const prompt = { ...workflow.prompt, '9': { class_type: 'B', inputs: { text: 'of the author' } } };
  expect(summarizeInputs(workflow, prompt, findDefinition)).toBeNull();
});

test('of a graph of a caller, what is called a text or a prompt is', () => {
  expect(summarizeInputs(undefined, textOf('a cat'), none)).toBe('a cat');
  expect(summarizeInputs(undefined, textOf(['2', 0]), none)).toBeNull();
});
