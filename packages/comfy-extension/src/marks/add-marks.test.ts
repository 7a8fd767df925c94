import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { parseWorkflow } from '../../../bridge/src/workflows/catalog/parse-workflow.ts';
import type { PublishedWorkflow } from '../../../bridge/src/workflows/catalog/published-workflow.ts';
import {
  findFixtureDefinition,
  readEditorAnswer,
  readUiFixture,
  uiFixtures,
} from '../../../bridge/src/workflows/fixtures/ui-fixtures.ts';
import { nameInputs } from '../../../bridge/src/workflows/inputs/name-inputs.ts';
import { inputMarkSchema, type ApiPrompt, type InputMark } from '@comfy-bridge/protocol';
import { makeGraph, makeInstance, makeNode, toPrompt } from './_graphs.ts';
import { fromSavedFile } from './_saved-graph.ts';
import { addMarks } from './add-marks.ts';
import { collectMarks, collectOutputs } from './collect-marks.ts';
import { reorder, setDescimages, toggleMark, toggleOutput, updateMark } from './edit-marks.ts';
import { listInputs, toFormFields } from './form-fields.ts';
import type { GraphLike } from './graph-types.ts';
import { writeMarks } from './stored-marks.ts';
import { isSubgraphNode, listPlaces } from './walk-graph.ts';

/** What the bridge makes of it. */
function publish(prompt: ApiPrompt): PublishedWorkflow {
  const parsed = parseWorkflow({ fileName: 'w.json', text: JSON.stringify(prompt) });
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.workflow;
}

const withoutOrder = ({ order: _order, ...mark }: InputMark) => mark;

const exportGraph = (graph: GraphLike, prompt = toPrompt(graph)) =>
  addMarks(prompt, collectMarks(graph), collectOutputs(graph));

test('the bridge reads the marks as the author made them', () => {
  const text = makeNode(6, 'CLIPTextEncode', { text: 'a house' }, { title: 'Positive' });
  const sampler = makeNode(3, 'KSampler', { seed: 5, steps: 20 });
  const save = makeNode(9, 'SaveImage', { filename_prefix: 'x' });
  const graph = makeGraph([sampler, text, save]);
  toggleMark(sampler, 'steps', true);
  toggleMark(text, 'text', true);
  toggleMark(sampler, 'seed', true);
  expect(collectMarks(graph).map(({ mark }) => mark.name)).toEqual(['steps', 'seed', 'text']);
  toggleOutput(save, true);
  updateMark(text, 'text', { label: 'Prompt', description: 'What to draw', required: true });
  updateMark(sampler, 'steps', { min: 1, max: 50, step: 1, type: 'int' });
  updateMark(sampler, 'seed', { options: [1, 2, 3] });
  setDescimages(text, ['prompt.png']);
  reorder(collectMarks(graph), 2, 0);

  const exported = exportGraph(graph);
  expect(exported['3']?._meta?.['apiinput']).toBe('steps,seed');
  const { inputs, outputNodes, problems } = publish(exported);
  expect(problems).toEqual([]);
  expect(outputNodes).toEqual(['9']);
  expect(inputs.map(({ key, title, mark, descimages }) => ({ key, title, mark, descimages }))).toEqual([
    {
      key: '6/text',
      title: 'Positive',
      mark: { name: 'text', label: 'Prompt', description: 'What to draw', required: true, order: 0 },
      descimages: ['prompt.png'],
    },
    {
      key: '3/steps',
      title: 'KSampler',
      mark: { name: 'steps', min: 1, max: 50, step: 1, type: 'int', order: 1 },
      descimages: [],
    },
    {
      key: '3/seed',
      title: 'KSampler',
      mark: { name: 'seed', options: [1, 2, 3], order: 2 },
      descimages: [],
    },
  ]);
});

test.each(uiFixtures)(
  '%s: every widget is marked, and what the marks promise is what the bridge finds',
  (name) => {
    const graph = fromSavedFile(readUiFixture(name), findFixtureDefinition);
    for (const { node } of listPlaces(graph))
      for (const widget of isSubgraphNode(node) ? [] : (node.widgets ?? []))
        toggleMark(node, widget.name, true);
    const entries = collectMarks(graph);
    const answer = readEditorAnswer(name);
    const { inputs, problems } = publish(addMarks(answer, entries));
    expect(problems).toEqual([]);
    const promised = listInputs(entries).map(({ target }) => `${target.nodeId}/${target.inputName}`);
    expect(inputs.map(({ key }) => key)).toEqual(promised);
    expect(promised.length).toBeGreaterThan(0);
  },
);

test.each(['subgraph-twice', 'nested-subgraphs'])('%s: promoted widgets reach the inner inputs', (name) => {
  const graph = fromSavedFile(readUiFixture(name), findFixtureDefinition);
  for (const node of graph.nodes ?? [])
    for (const widget of isSubgraphNode(node) ? (node.widgets ?? []) : [])
      toggleMark(node, widget.name, true);
  const { inputs, problems } = publish(addMarks(readEditorAnswer(name), collectMarks(graph)));
  expect(problems).toEqual([]);
  const expected = {
    'subgraph-twice': ['8:5/seed', '8:5/steps', '8:2/text', '20:5/seed', '20:5/steps', '20:2/text'],
    'nested-subgraphs': ['8:3:5/seed'],
  }[name];
  expect(inputs.map(({ key }) => key)).toEqual(expected);
});

test('nothing of the prompt is changed but the `_meta` of marked nodes', () => {
  const node = makeNode(1, 'A', { text: 'x' });
  const other = makeNode(2, 'B', { text: 'y' });
  const graph = makeGraph([node, other]);
  toggleMark(node, 'text', true);
  const prompt = toPrompt(graph);
  const before = structuredClone(prompt);
  const exported = exportGraph(graph, prompt);
  expect(prompt).toEqual(before);
  expect(exported['2']).toBe(prompt['2']);
  expect(exported['1']?.inputs).toBe(prompt['1']?.inputs);
  expect(exportGraph(graph, exported)).toEqual(exported);
});

test('marks that no caller could use are left out of the file', () => {
  const node = makeNode(1, 'A', {
    'a/b': 1,
    list: [1],
    text: 'x',
    'a,b': 'y',
    ' padded': 'z',
    프롬프트: 'w',
  });
  const muted = makeNode(2, 'B', { text: 'y' }, { mode: 2 });
  const graph = makeGraph([node, muted]);
  for (const each of [node, muted]) for (const { name } of each.widgets ?? []) toggleMark(each, name, true);
  toggleMark(node, 'gone', true);
  toggleOutput(muted, true);
  const exported = exportGraph(graph);
  const { inputs, problems } = publish(exported);
  expect(problems).toEqual([]);
  expect(inputs.map(({ inputName }) => inputName)).toEqual(['text', 'a,b', ' padded', '프롬프트']);
  // The original's list of names cannot hold a comma.
  expect(exported['1']?._meta?.['apiinput']).toBe('text,프롬프트');
});

test('an input that is marked outside and inside a subgraph is opened once, by the first of both', () => {
  const inner = makeNode(3, 'A', { text: '' });
  const host = makeInstance(12, makeGraph([inner], { id: 'inside' }), { p: [[inner, 'text']] });
  const graph = makeGraph([host]);
  toggleMark(inner, 'text', true);
  toggleMark(host, 'p', true);
  updateMark(host, 'p', { label: 'Outside' });
  expect(publish(exportGraph(graph)).inputs.map(({ mark }) => mark)).toEqual([
    { name: 'text', label: 'Outside', order: 0 },
  ]);
});

test('a limit beyond 2^53 does not take the mark with it', () => {
  const node = makeNode(1, 'KSampler', { seed: 5 });
  const graph = makeGraph([node]);
  toggleMark(node, 'seed', true);
  updateMark(node, 'seed', { min: 0, max: 2 ** 64 - 1, options: [1, 2 ** 60] });
  const { inputs, problems } = publish(exportGraph(graph));
  expect(problems).toEqual([]);
  expect(inputs.map(({ mark }) => mark)).toEqual([{ name: 'seed', min: 0, options: [1], order: 0 }]);
});

test('a promoted widget that sets several inputs is one input that sets them all', () => {
  const [a, b] = [makeNode(3, 'A', { text: 'x' }), makeNode(4, 'B', { value: 'x' })];
  const inside = makeGraph([a, b], { id: 'inside' });
  const host = makeInstance(12, inside, {
    prompt: [
      [a, 'text'],
      [b, 'value'],
    ],
  });
  const graph = makeGraph([host]);
  toggleMark(host, 'prompt', true);
  const workflow = publish(exportGraph(graph));
  expect(workflow.problems).toEqual([]);
  expect(nameInputs(workflow).map(({ name, input }) => [name, input.key])).toEqual([['prompt', '12:3/text']]);
  expect(workflow.inputs[0]?.mark.also).toEqual(['12:4/value']);
  // The original bridge reads names only.
  expect(workflow.prompt['12:4']?._meta?.apiinput).toBe('value');
});

test('any marks the editor can hold come out of the bridge as they went in', () => {
  const word = fc.string({ unit: 'grapheme', maxLength: 12 });
  const mark = fc.record(
    {
      label: word,
      description: word,
      required: fc.boolean(),
      order: fc.integer({ min: 0, max: 9 }),
      type: fc.constantFrom('str' as const, 'int' as const, 'float' as const, 'bool' as const),
      format: fc.constantFrom('image' as const, 'mask' as const),
      min: fc
        .double({ noNaN: true, noDefaultInfinity: true })
        .filter((each) => !Number.isInteger(each) || Number.isSafeInteger(each))
        // JSON has no -0.
        .map((each) => each || 0),
      step: fc.integer({ min: 1, max: 8 }),
      options: fc.array(fc.oneof(word, fc.integer(), fc.boolean()), { minLength: 1, maxLength: 3 }),
    },
    { requiredKeys: [] },
  );
  const marks = fc.uniqueArray(
    fc.tuple(
      word.filter((name) => name !== '' && name !== '__proto__' && name.isWellFormed()),
      mark,
    ),
    { selector: ([name]) => name, maxLength: 5 },
  );
  fc.assert(
    fc.property(fc.array(marks, { minLength: 1, maxLength: 4 }), (nodes) => {
      const graph = makeGraph(
        nodes.map((inputs, id) => makeNode(id, 'A', Object.fromEntries(inputs.map(([name]) => [name, 'v'])))),
      );
      for (const [id, inputs] of nodes.entries())
        writeMarks(graph.nodes![id]!, {
          v: 1,
          inputs: inputs.map(([name, more]) => ({ ...more, name })),
        });
      const entries = collectMarks(graph);
      const workflow = publish(exportGraph(graph));
      expect(workflow.problems).toEqual([]);
      const settable = entries.filter(({ mark: { name } }) => !name.includes('/'));
      expect(workflow.inputs.map(({ mark }) => withoutOrder(mark))).toEqual(
        settable.map(({ mark }) => inputMarkSchema.parse(withoutOrder(mark))),
      );
      // And the form names its fields as the bridge names the inputs.
      expect(toFormFields(entries).map(({ name }) => name)).toEqual(
        nameInputs(workflow).map(({ name }) => name),
      );
    }),
  );
});
