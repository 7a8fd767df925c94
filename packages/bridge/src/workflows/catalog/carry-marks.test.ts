import { expect, test } from 'vitest';

import { carryMarks } from './carry-marks.ts';

const marks = { v: 1, inputs: [{ name: 'text', label: 'Prompt' }, { name: 'size' }] };
const node = (id: unknown, apiInputs?: unknown) => ({
  id,
  properties: apiInputs === undefined ? {} : { apiInputs },
});
const prompt = {
  '6': { class_type: 'A', inputs: {}, _meta: { title: 'T' } },
  '7': { class_type: 'B', inputs: {} },
};

test('marks come into the prompt in both forms, beside the title', () => {
  const { prompt: marked, problems } = carryMarks({ nodes: [node(6, marks), node(7)] }, prompt);
  expect(problems).toEqual([]);
  expect(marked).toEqual({
    ...prompt,
    '6': { ...prompt['6'], _meta: { title: 'T', apiinput: 'text,size', bridge: marks } },
  });
  expect(prompt['6']._meta).toEqual({ title: 'T' });
});

test('a node whose results are delivered is marked without an input', () => {
  const output = { v: 1, inputs: [], output: true };
  expect(carryMarks({ nodes: [node(7, output)] }, prompt).prompt['7']?._meta).toEqual({ bridge: output });
});

test.each([
  ['of a node that is not in the prompt', { nodes: [node(9, marks)] }, 'node "9"'],
  ['that cannot be read', { nodes: [node(6, { v: 2 })] }, 'node "6"'],
  [
    'within a subgraph',
    { nodes: [], definitions: { subgraphs: [{ nodes: [node(3, marks)] }] } },
    'node "…:3"',
  ],
])('marks %s are told', (_which, workflow, where) => {
  const carried = carryMarks(workflow, prompt);
  expect(carried.prompt).toEqual(prompt);
  expect(carried.problems).toEqual([expect.stringContaining(where)]);
});

test('odd shapes have no marks', () => {
  for (const workflow of [
    {},
    { nodes: 7 },
    { nodes: [null, 7, { properties: 7 }] },
    { nodes: [], definitions: [] },
  ])
    expect(carryMarks(workflow, prompt)).toEqual({ prompt, problems: [] });
});
