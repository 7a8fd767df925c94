import { expect, test } from 'vitest';

import { bindInputs } from '../inputs/bind-inputs.ts';
import { parseWorkflow } from './parse-workflow.ts';

/** Two texts that one value sets; the second one's marks may be others. */
function parse(also: unknown, second: unknown = { apiinput: 'text' }) {
  const text = JSON.stringify({
    '12:4': { class_type: 'B', inputs: { text: 'b', other: ['12:3', 0] }, _meta: second },
    '12:3': {
      class_type: 'A',
      inputs: { text: 'a' },
      _meta: { apiinput: 'text', bridge: { v: 1, inputs: [{ name: 'text', label: 'Prompt', also }] } },
    },
  });
  const parsed = parseWorkflow({ fileName: 'w.json', text });
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.workflow;
}

const deps = { findDefinition: () => undefined, isUploaded: () => false, isSample: () => false };

test('inputs that one value sets are one input, and get it', () => {
  const workflow = parse(['12:4/text']);
  expect(workflow.problems).toEqual([]);
  expect(workflow.inputs.map(({ key }) => key)).toEqual(['12:3/text']);
  expect(bindInputs(workflow, { '12:3/text': 'new' }, deps)).toMatchObject({
    ok: true,
    prompt: { '12:3': { inputs: { text: 'new' } }, '12:4': { inputs: { text: 'new' } } },
  });
  expect(bindInputs(workflow, {}, deps)).toMatchObject({
    prompt: { '12:3': { inputs: { text: 'a' } }, '12:4': { inputs: { text: 'b' } } },
  });
});

test.each(['12:5/text', '12:4/other', '12:4/gone', 'text'])('what takes no value, %s, is told', (key) => {
  const workflow = parse([key]);
  expect(workflow.problems).toEqual([`node "12:3": input "text" cannot also set "${key}"`]);
  expect(workflow.inputs.map((input) => input.key)).toEqual(['12:4/text', '12:3/text']);
});

test('an input that is to set itself sets just itself', () => {
  const workflow = parse(['12:3/text']);
  expect(workflow.inputs).toHaveLength(2);
  expect(bindInputs(workflow, { '12:3/text': 'new' }, deps)).toMatchObject({
    prompt: { '12:3': { inputs: { text: 'new' } }, '12:4': { inputs: { text: 'b' } } },
  });
});

test('two that are to set each other are left apart', () => {
  const back = { bridge: { v: 1, inputs: [{ name: 'text', also: ['12:3/text'] }] } };
  const workflow = parse(['12:4/text'], back);
  expect(workflow.inputs).toHaveLength(2);
  expect(workflow.problems).toHaveLength(2);
});
