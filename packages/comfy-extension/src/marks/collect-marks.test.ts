import { expect, test } from 'vitest';

import { describe, markAll } from './_describe-marks.ts';
import { link, makeGraph, makeInstance, makeNode, makeWidget } from './_graphs.ts';
import { collectMarks, collectOutputs } from './collect-marks.ts';
import { toggleMark, toggleOutput, updateMark } from './edit-marks.ts';
import type { NodeLike } from './graph-types.ts';

test('an empty graph, and one of an old editor, are read', () => {
  expect(collectMarks({})).toEqual([]);
  const node = makeNode(1, 'A', { text: '' });
  markAll(node);
  expect(collectMarks({ _nodes: [node] })).toHaveLength(1);
});

test('marks come in their order, those without one last as the nodes come', () => {
  const nodes = [makeNode(1, 'A', { a: '', b: '' }), makeNode(2, 'A', { c: '', d: '' })];
  const graph = makeGraph(nodes);
  markAll(...nodes);
  updateMark(nodes[1]!, 'd', { order: 0 });
  updateMark(nodes[0]!, 'b', { order: 1 });
  expect(Object.keys(describe(graph))).toEqual(['2/d', '1/b', '1/a', '2/c']);
});

test('a linked input is told, also where the link comes from outside the subgraph', () => {
  const inner = makeNode(3, 'A', { text: '', seed: 1, steps: 2 });
  const inside = makeGraph([inner], { id: 'inside' });
  const host = makeInstance(12, inside, { prompt: [[inner, 'text']], seed: [[inner, 'seed']] });
  const other = makeNode(1, 'B', { value: '' });
  const graph = makeGraph([other, host, makeNode(5, 'C', { x: '' })]);
  link(graph, 1, 0, host, 'prompt');
  link(graph, 1, 0, graph.nodes![2]!, 'x');
  markAll(host, graph.nodes![2]!);
  toggleMark(inner, 'steps', true);
  expect(describe(graph)).toEqual({
    '12/prompt': [['12:3/text'], ['linked']],
    '12/seed': [['12:3/seed'], []],
    '12:3/steps': [['12:3/steps'], []],
    '5/x': [['5/x'], ['linked']],
  });
});

test('a primitive node only holds the value of the widget, which stays settable', () => {
  const primitive = makeNode(1, 'PrimitiveNode', { value: 1 }, { isVirtualNode: true });
  const node = makeNode(2, 'A', { seed: 1 });
  const graph = makeGraph([primitive, node]);
  link(graph, 1, 0, node, 'seed');
  markAll(primitive, node);
  expect(describe(graph)).toEqual({
    '1/value': [['1/value'], ['not-exported']],
    '2/seed': [['2/seed'], []],
  });
});

test('a primitive node outside a subgraph is as any other, for editors differ there', () => {
  const inner = makeNode(3, 'A', { text: '' });
  const host = makeInstance(12, makeGraph([inner], { id: 'inside' }), { prompt: [[inner, 'text']] });
  const graph = makeGraph([makeNode(1, 'PrimitiveNode', { value: '' }, { isVirtualNode: true }), host]);
  link(graph, 1, 0, host, 'prompt');
  markAll(host);
  expect(describe(graph)).toEqual({ '12/prompt': [['12:3/text'], ['linked']] });
});

test('the slot of a widget is found by the name of the widget, also where the slot has another', () => {
  const inner = makeNode(3, 'A', { text: '', other: '' });
  inner.inputs![0]!.name = 'other';
  inner.inputs![1]!.name = 'text';
  const host = makeInstance(12, makeGraph([inner], { id: 'inside' }), { p: [[inner, 'other']] });
  const linked = makeNode(1, 'A', { text: '', other: '' });
  linked.inputs![0]!.name = 'other';
  linked.inputs![1]!.name = 'text';
  const graph = makeGraph([linked, host]);
  link(graph, 9, 0, linked, 'text');
  markAll(host, linked);
  expect(describe(graph)).toEqual({
    '1/text': [['1/text'], []],
    '1/other': [['1/other'], ['linked']],
    '12/p': [['12:3/text'], []],
  });
});

test('where the link of an input cannot be found it counts as linked', () => {
  const node = makeNode(2, 'A', { seed: 1 });
  node.inputs![0]!.link = 77;
  markAll(node);
  expect(describe(makeGraph([node]))['2/seed']?.[1]).toEqual(['linked']);
});

test('a newer editor is asked for its links, never for `link` of a slot', () => {
  const node = makeNode(2, 'A', { seed: 1, steps: 2 });
  for (const slot of node.inputs!)
    Object.defineProperty(slot, 'link', {
      get() {
        throw new Error('it warns on the console');
      },
    });
  node.isInputConnected = (slot) => slot === 0;
  node.getInputLink = (slot) => (slot === 0 ? { origin_id: 9, origin_slot: 0 } : null);
  markAll(node);
  const graph = makeGraph([node]);
  expect(describe(graph)).toEqual({ '2/seed': [['2/seed'], ['linked']], '2/steps': [['2/steps'], []] });
});

test.each([
  ['muted', 2],
  ['bypassed', 4],
])('a node that is %s is told, and one inside such a subgraph', (problem, mode) => {
  const inner = makeNode(3, 'A', { text: '', other: '' });
  const nested = makeInstance(2, makeGraph([inner], { id: 'nested' }), {});
  const host = makeInstance(12, makeGraph([nested], { id: 'inside' }), {});
  const node = makeNode(1, 'A', { text: '' });
  const graph = makeGraph([node, host]);
  markAll(node, inner);
  toggleOutput(inner, true);
  for (const each of [node, host]) each.mode = mode;
  expect(describe(graph)).toEqual({
    '1/text': [['1/text'], [problem]],
    '12:2:3/text': [['12:2:3/text'], [problem]],
    '12:2:3/other': [['12:2:3/other'], [problem]],
  });
  expect(collectOutputs(graph).map(({ path, problems }) => [path, problems])).toEqual([
    ['12:2:3', [problem]],
  ]);
});

test('a mark of a promoted widget whose inner node is muted is told', () => {
  const inner = makeNode(3, 'A', { text: '' }, { mode: 2 });
  const host = makeInstance(12, makeGraph([inner], { id: 'inside' }), { prompt: [[inner, 'text']] });
  markAll(host);
  expect(describe(makeGraph([host]))).toEqual({ '12/prompt': [['12:3/text'], ['muted']] });
});

test('marks on widgets that are gone, and on nodes of a class that is not installed, are kept and told', () => {
  const unknown: NodeLike = {
    id: 1,
    type: 'Missing',
    properties: {},
    inputs: [{ name: 'model', link: null }],
    // Newer editors give it one for each value that was saved.
    widgets: [makeWidget('UNKNOWN', 1)],
  };
  const node = makeNode(2, 'A', { text: '' });
  const bare = makeNode(3, 'B');
  delete bare.widgets;
  delete bare.inputs;
  for (const each of [unknown, node, bare]) toggleMark(each, 'gone', true);
  expect(describe(makeGraph([unknown, node, bare]))).toEqual({
    '1/gone': [['1/gone'], ['unknown-node']],
    '2/gone': [['2/gone'], ['no-such-widget']],
    '3/gone': [['3/gone'], ['no-such-widget']],
  });
});

test('widgets that the editor does not export as plain values are told', () => {
  const node = makeNode(1, 'A');
  node.widgets = [
    makeWidget('control_after_generate', 'fixed', { options: { serialize: false } }),
    makeWidget('upload', 'image', { type: 'button' }),
    makeWidget('curve', [[0, 0]]),
    makeWidget('fine', null),
  ];
  markAll(node);
  const problems = Object.values(describe(makeGraph([node]))).map(([, each]) => each);
  expect(problems).toEqual([['not-exported'], ['not-exported'], ['not-exported'], []]);
});

test('odd names are told, by the inner name that callers get', () => {
  const inner = makeNode(3, 'A', { text: '' });
  const host = makeInstance(12, makeGraph([inner], { id: 'inside' }), { 'a/b, 프롬프트': [[inner, 'text']] });
  const node = makeNode(1, 'A', { 'a/b': '', 'a,b': '', ' c': '', 'd e': '', 한국어: '', constructor: '' });
  markAll(node, host);
  const odd = collectMarks(makeGraph([node, host])).filter(({ problems }) => problems.includes('odd-name'));
  expect(odd.map(({ mark }) => mark.name)).toEqual(['a/b', 'a,b', ' c']);
});

test('two marks that callers would call the same are told where an author gave the label', () => {
  const nodes = [1, 2, 3, 4].map((id) => makeNode(id, 'A', { text: '' }));
  markAll(...nodes);
  updateMark(nodes[0]!, 'text', { label: 'My Prompt' });
  updateMark(nodes[1]!, 'text', { label: 'my prompt!' });
  const problems = Object.values(describe(makeGraph(nodes))).map(([, each]) => each);
  expect(problems).toEqual([['duplicate-label'], ['duplicate-label'], [], []]);
});

test('a mark on a promoted widget and one on its inner widget mean the same input', () => {
  const inner = makeNode(3, 'A', { text: '' });
  const host = makeInstance(12, makeGraph([inner], { id: 'inside' }), { p: [[inner, 'text']] });
  markAll(host, inner);
  expect(describe(makeGraph([host]))).toMatchObject({
    '12/p': [['12:3/text'], []],
    '12:3/text': [['12:3/text'], ['same-input']],
  });
});

test('a subgraph that holds itself ends', () => {
  const inside = makeGraph([], { id: 'inside' });
  const self = makeInstance(2, inside, {});
  self.widgets = [makeWidget('p', '')];
  self.inputs = [{ name: 'p', link: null, widget: { name: 'p' } }];
  inside.nodes = [self];
  link(inside, -10, 0, self, 'p');
  self.inputs[0]!.link = null;
  markAll(self);
  const entries = collectMarks(makeGraph([makeInstance(1, inside, {})]));
  expect(entries).toHaveLength(20);
  expect(entries[0]).toMatchObject({ path: '1:2', targets: [], problems: ['no-such-widget'] });
});

test('an output that is not exported is told', () => {
  const note = makeNode(1, 'Note', {}, { isVirtualNode: true });
  const save = makeNode(2, 'SaveImage');
  for (const node of [note, save]) toggleOutput(node, true);
  expect(collectOutputs(makeGraph([note, save])).map(({ path, problems }) => [path, problems])).toEqual([
    ['1', ['not-exported']],
    ['2', []],
  ]);
});
