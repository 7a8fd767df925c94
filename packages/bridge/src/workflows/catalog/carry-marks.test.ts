import { expect, test } from 'vitest';

import { carryMarks } from './carry-marks.ts';

const marks = { v: 1, inputs: [{ name: 'text', label: 'Prompt' }, { name: 'size' }] };
const node = (id: unknown, apiInputs?: unknown) => ({
  id,
  type: 'A',
  properties: apiInputs === undefined ? {} : { apiInputs },
});
const file = (nodes: unknown[], subgraphs: unknown[] = []) => ({
  version: 0.4,
  nodes,
  links: [],
  definitions: { subgraphs },
});
const prompt = {
  '6': { class_type: 'A', inputs: {}, _meta: { title: 'T' } },
  '7': { class_type: 'B', inputs: {} },
};

test('marks come into the prompt in both forms, beside the title', () => {
  const { prompt: marked, problems } = carryMarks(file([node(6, marks), node(7)]), prompt);
  expect(problems).toEqual([]);
  expect(marked).toEqual({
    ...prompt,
    '6': { ...prompt['6'], _meta: { title: 'T', apiinput: 'text,size', bridge: marks } },
  });
  expect(prompt['6']._meta).toEqual({ title: 'T' });
});

test('a node whose results are delivered is marked without an input', () => {
  const output = { v: 1, inputs: [], output: true };
  expect(carryMarks(file([node(7, output)]), prompt).prompt['7']?._meta).toEqual({ bridge: output });
});

test.each([
  ['of a node that is not in the prompt', file([node(9, marks)]), 'node "9"'],
  ['that cannot be read', file([node(6, { v: 2 })]), 'node "6"'],
  [
    'of a subgraph that lead nowhere',
    file([{ ...node(12, marks), type: 'inside' }], [{ id: 'inside', version: 1, nodes: [], links: [] }]),
    'node "12"',
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

test('marks inside a subgraph come wherever it is used, those outside on what they set', () => {
  const inside = {
    id: 'inside',
    version: 1,
    inputs: [{ name: 'prompt', type: 'STRING', linkIds: [1, 2] }],
    nodes: [
      {
        ...node(3, { v: 1, inputs: [{ name: 'seed' }] }),
        inputs: [{ name: 'text', link: 1, widget: { name: 'text' } }],
      },
      { ...node(4), inputs: [{ name: 'value', link: 2, widget: { name: 'value' } }] },
    ],
    links: [
      { id: 1, origin_id: -10, origin_slot: 0, target_id: 3, target_slot: 0 },
      { id: 2, origin_id: -10, origin_slot: 0, target_id: 4, target_slot: 0 },
    ],
  };
  const outer = { v: 1, inputs: [{ name: 'prompt', order: 0 }] };
  const workflow = file(
    [
      { ...node(12, outer), type: 'inside' },
      { ...node(13), type: 'inside', properties: {} },
    ],
    [inside],
  );
  const inner = { class_type: 'A', inputs: { text: 'a', seed: 1 } };
  const other = { class_type: 'A', inputs: { value: 'b' } };
  const carried = carryMarks(workflow, { '12:3': inner, '12:4': other, '13:3': inner, '13:4': other });
  expect(carried.problems).toEqual([]);
  const text = { name: 'text', label: 'prompt', order: 0, also: ['12:4/value'] };
  expect(carried.prompt['12:3']?._meta?.['bridge']).toEqual({ v: 1, inputs: [text, { name: 'seed' }] });
  expect(carried.prompt['12:4']).toEqual(other);
  expect(carried.prompt['13:3']?._meta?.['bridge']).toEqual({ v: 1, inputs: [{ name: 'seed' }] });
});

test('a widget that a subgraph only shows is followed too', () => {
  const shown = { ...node(12, { v: 1, inputs: [{ name: '3: text', label: 'Text' }] }), type: 'inside' };
  Object.assign(shown.properties, { proxyWidgets: '[["3","text"]]' });
  const workflow = file([shown], [{ id: 'inside', version: 1, nodes: [node(3)], links: [] }]);
  const carried = carryMarks(workflow, { '12:3': { class_type: 'A', inputs: { text: '' } } });
  expect(carried.prompt['12:3']?._meta?.['bridge']).toEqual({
    v: 1,
    inputs: [{ name: 'text', label: 'Text' }],
  });
});
