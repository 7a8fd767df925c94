import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { makeGraph, makeInstance, makeNode, toPrompt } from './_graphs.ts';
import { addMarks } from './add-marks.ts';
import { collectMarks, collectOutputs } from './collect-marks.ts';
import { setDescimages, toggleMark, toggleOutput, updateMark } from './edit-marks.ts';
import type { GraphLike, NodeLike } from './graph-types.ts';
import { importFromApiFile } from './import-api-file.ts';
import { readMarks } from './stored-marks.ts';

const keys = (graph: GraphLike) => collectMarks(graph).map(({ path, mark }) => `${path}/${mark.name}`);

function makeWorkflow() {
  const inner = makeNode(3, 'CLIPTextEncode', { text: '', extra: '' });
  const inside = makeGraph([inner], { id: 'inside' });
  const host = makeInstance(12, inside, { prompt: [[inner, 'text']] });
  const sampler = makeNode(5, 'KSampler', { seed: 1, steps: 20 });
  const save = makeNode(9, 'SaveImage', { filename_prefix: '' });
  return { inner, host, sampler, save, graph: makeGraph([host, sampler, save]) };
}

const exportGraph = (graph: GraphLike) =>
  addMarks(toPrompt(graph), collectMarks(graph), collectOutputs(graph));

test("the original's list of names is all that is needed, in the order of the file", () => {
  const { graph } = makeWorkflow();
  const file = {
    '5': { class_type: 'KSampler', inputs: {}, _meta: { apiinput: ' steps, ,seed' } },
    '12:3': {
      class_type: 'CLIPTextEncode',
      inputs: {},
      _meta: { apiinput: 'text,extra', descimage: 'p.png' },
    },
  };
  const { taken, left } = importFromApiFile(file, graph);
  expect(left).toEqual([]);
  expect(taken).toHaveLength(4);
  // The promoted widget is marked for the inner input that it sets.
  expect(keys(graph)).toEqual(['5/steps', '5/seed', '12/prompt', '12:3/extra']);
});

test('a file that was exported brings back what was marked, into a workflow without marks', () => {
  const marked = makeWorkflow();
  toggleMark(marked.host, 'prompt', true);
  toggleMark(marked.sampler, 'seed', true);
  toggleMark(marked.inner, 'extra', true);
  toggleOutput(marked.save, true);
  setDescimages(marked.sampler, ['seed.png']);
  updateMark(marked.host, 'prompt', { label: '프롬프트', required: true, order: 5 });
  updateMark(marked.sampler, 'seed', { min: 1, order: 2 });
  const { graph, sampler } = makeWorkflow();
  const { left } = importFromApiFile(JSON.stringify(exportGraph(marked.graph)), graph);
  expect(left).toEqual([]);
  expect(exportGraph(graph)).toEqual(exportGraph(marked.graph));
  expect(readMarks(sampler).descimages).toEqual(['seed.png']);
});

test('a promoted widget that sets several inputs comes back as one mark', () => {
  const make = () => {
    const nodes = [3, 4].map((id) => makeNode(id, 'A', { text: '' }));
    const nested = makeInstance(2, makeGraph(nodes, { id: 'nested' }), {
      p: nodes.map((node) => [node, 'text'] as const),
    });
    const host = makeInstance(12, makeGraph([nested], { id: 'inside' }), { prompt: [[nested, 'p']] });
    return { host, graph: makeGraph([host]) };
  };
  const marked = make();
  toggleMark(marked.host, 'prompt', true);
  updateMark(marked.host, 'prompt', { label: 'Prompt' });
  const { host, graph } = make();
  const { taken } = importFromApiFile(exportGraph(marked.graph), graph);
  expect(taken).toEqual([{ node: host, name: 'prompt' }]);
  expect(readMarks(host).inputs).toEqual([{ name: 'prompt', label: 'Prompt', order: 0 }]);
});

test('the order of the file is kept across its nodes, and a byte order mark is no obstacle', () => {
  const { graph } = makeWorkflow();
  const node = (classType: string, names: string[], first: number) => ({
    class_type: classType,
    inputs: {},
    _meta: { bridge: { v: 1, inputs: names.map((name, index) => ({ name, order: first + index * 2 })) } },
  });
  const file = {
    '5': node('KSampler', ['seed', 'steps'], 1),
    '9': node('SaveImage', ['filename_prefix'], 2),
  };
  expect(importFromApiFile(`\uFEFF${JSON.stringify(file)}`, graph).left).toEqual([]);
  expect(keys(graph)).toEqual(['5/seed', '9/filename_prefix', '5/steps']);
});

test('what fits no node is left and told, and the rest taken', () => {
  const { graph } = makeWorkflow();
  const file = {
    '5': { class_type: 'Other', inputs: {}, _meta: { apiinput: 'seed', bridge: { v: 1, output: true } } },
    '9': { class_type: 'SaveImage', inputs: {}, _meta: { apiinput: 'gone,filename_prefix' } },
    '77': {
      class_type: 'A',
      inputs: {},
      _meta: { apiinput: 'x', bridge: { v: 1, inputs: [], output: true } },
    },
  };
  expect(importFromApiFile(file, graph).left).toEqual([
    { key: '5/seed', reason: 'other-class' },
    { key: '9/gone', reason: 'no-such-widget' },
    { key: '77/x', reason: 'no-such-node' },
    { key: '5', reason: 'other-class' },
    { key: '77', reason: 'no-such-node' },
  ]);
  expect(keys(graph)).toEqual(['9/filename_prefix']);
});

test('imported marks come after those that are there, which keep what the file does not say', () => {
  const { graph, sampler, save } = makeWorkflow();
  toggleMark(sampler, 'seed', true);
  updateMark(sampler, 'seed', { label: 'Seed', min: 1, order: 0 });
  toggleMark(save, 'filename_prefix', true);
  const bridge = {
    v: 1,
    inputs: [
      { name: 'steps', order: 0 },
      { name: 'seed', label: 'Random seed', order: 1 },
    ],
  };
  importFromApiFile({ '5': { class_type: 'KSampler', inputs: {}, _meta: { bridge } } }, graph);
  expect(keys(graph)).toEqual(['5/seed', '9/filename_prefix', '5/steps']);
  expect(readMarks(sampler).inputs[0]).toEqual({ name: 'seed', label: 'Random seed', min: 1, order: 0 });
});

test('nodes whose ids are paths, as the editor makes them of a file, are found by them', () => {
  const node = makeNode('12:3', 'A', { text: '' });
  const graph = makeGraph([node]);
  importFromApiFile({ '12:3': { class_type: 'A', inputs: {}, _meta: { apiinput: 'text' } } }, graph);
  expect(readMarks(node).inputs).toMatchObject([{ name: 'text' }]);
});

test('a node of a class that is not installed takes the marks, for when it is', () => {
  const unknown: NodeLike = { id: 1, type: 'Missing' };
  const known = makeNode(2, 'VAEDecode');
  const node = (classType: string) => ({ class_type: classType, inputs: {}, _meta: { apiinput: 'text' } });
  const { left } = importFromApiFile(
    { '1': node('Missing'), '2': node('VAEDecode') },
    makeGraph([unknown, known]),
  );
  expect(readMarks(unknown).inputs).toMatchObject([{ name: 'text' }]);
  expect(left).toEqual([{ key: '2/text', reason: 'no-such-widget' }]);
});

test.each([undefined, null, 7, '', 'no JSON', '[]', [], { nodes: [], links: [] }])(
  '%j is no API file',
  (file) => {
    expect(importFromApiFile(file, makeWorkflow().graph)).toEqual({
      taken: [],
      left: [{ key: '', reason: 'unreadable' }],
    });
  },
);

test('no file makes it throw', () => {
  const meta = fc.oneof(
    fc.anything(),
    fc.record({
      apiinput: fc.anything(),
      bridge: fc.oneof(fc.anything(), fc.record({ v: fc.constant(1), inputs: fc.anything() })),
    }),
  );
  const node = fc.oneof(fc.anything(), fc.record({ class_type: fc.anything(), _meta: meta }));
  fc.assert(
    fc.property(
      fc.oneof(fc.anything(), fc.string(), fc.dictionary(fc.constantFrom('5', '12:3', 'x'), node)),
      (file) => {
        const { graph } = makeWorkflow();
        importFromApiFile(file, graph);
        collectMarks(graph);
      },
    ),
  );
});
