import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { makeGraph, makeInstance, makeNode } from './_graphs.ts';
import { collectMarks } from './collect-marks.ts';
import { addMark, reorder, toggleMark, toggleOutput, updateMark } from './edit-marks.ts';
import { readMarks } from './stored-marks.ts';

test('a mark is put on once, and an empty name cannot be marked', () => {
  const node = makeNode(1, 'A', { text: '' });
  expect(toggleMark(node, 'text', true)).toBe(true);
  expect(toggleMark(node, 'text', true)).toBe(false);
  expect(toggleMark(node, '', true)).toBe(false);
  expect(readMarks(node).inputs).toEqual([{ name: 'text' }]);
  expect(toggleMark(node, 'other', false)).toBe(false);
  expect(toggleOutput(node, false)).toBe(false);
  expect(toggleMark(node, 'text', false)).toBe(true);
  expect(readMarks(node).inputs).toEqual([]);
});

test('a new mark comes last, also after those of a file that numbers none', () => {
  const [a, b] = [makeNode(10, 'A', { x: 1, y: 1 }), makeNode(9, 'B', { x: 1 })];
  const graph = makeGraph([a, b]);
  toggleMark(a, 'y', true);
  toggleMark(b, 'x', true);
  expect(addMark(graph, a, 'x')).toBe(true);
  expect(addMark(graph, a, 'x')).toBe(false);
  const names = () => collectMarks(graph).map(({ path, mark }) => `${path}/${mark.name}`);
  expect(names()).toEqual(['9/x', '10/y', '10/x']);
  toggleMark(b, 'x', false);
  addMark(graph, b, 'x');
  expect(names()).toEqual(['10/y', '10/x', '9/x']);
});

test('the order of the nodes in the graph, which a click changes, does not count', () => {
  const nodes = [makeNode(10, 'A', { x: 1 }), makeNode(9, 'B', { x: 1 })];
  for (const node of nodes) toggleMark(node, 'x', true);
  for (const each of [nodes, nodes.toReversed()])
    expect(collectMarks(makeGraph(each)).map(({ path }) => path)).toEqual(['9', '10']);
});

test('a change sets fields, takes them away, and never the name', () => {
  const node = makeNode(1, 'A', { text: '' });
  toggleMark(node, 'text', true);
  updateMark(node, 'text', { label: 'Prompt', min: 1, options: [1] });
  expect(updateMark(node, 'text', { label: undefined, max: 2, options: [] })).toBe(true);
  expect(readMarks(node).inputs).toEqual([{ name: 'text', min: 1, max: 2 }]);
  const renaming: object = { name: 'other' };
  updateMark(node, 'text', renaming);
  expect(readMarks(node).inputs).toEqual([{ name: 'text', min: 1, max: 2 }]);
  expect(updateMark(node, 'gone', { label: 'x' })).toBe(false);
});

test('any move gives the order that a list would have, on nodes all over the workflow', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(7), fc.nat(7)), { maxLength: 6 }), (moves) => {
      const inner = makeNode(3, 'C', { e: '', f: '' });
      const host = makeInstance(2, makeGraph([inner], { id: 'inside' }), { p: [[inner, 'e']] });
      const nodes = [makeNode(1, 'A', { a: '', b: '', c: '' }), host, makeNode(4, 'B', { g: '', h: '' })];
      const graph = makeGraph(nodes);
      for (const node of [...nodes, inner])
        for (const { name } of node.widgets!) toggleMark(node, name, true);
      const names = () => collectMarks(graph).map(({ mark }) => mark.name);
      const expected = names();
      expect(expected).toHaveLength(8);
      for (const [from, to] of moves) {
        reorder(collectMarks(graph), from, to);
        expected.splice(to, 0, ...expected.splice(from, 1));
        expect(names()).toEqual(expected);
      }
    }),
  );
});

test('the entries of one mark, in a subgraph that is used twice, move together', () => {
  const inner = makeNode(3, 'C', { text: '' });
  const inside = makeGraph([inner], { id: 'inside' });
  const outer = makeNode(1, 'A', { a: '', b: '' });
  const graph = makeGraph([outer, makeInstance(7, inside, {}), makeInstance(8, inside, {})]);
  for (const name of ['a', 'b']) toggleMark(outer, name, true);
  toggleMark(inner, 'text', true);
  const keys = () => collectMarks(graph).map(({ path, mark }) => `${path}/${mark.name}`);
  expect(keys()).toEqual(['1/a', '1/b', '7:3/text', '8:3/text']);
  reorder(collectMarks(graph), 3, 0);
  expect(keys()).toEqual(['7:3/text', '8:3/text', '1/a', '1/b']);
  reorder(collectMarks(graph), 0, 3);
  expect(keys()).toEqual(['1/a', '1/b', '7:3/text', '8:3/text']);
});

test('a move that leads nowhere changes nothing', () => {
  const node = makeNode(1, 'A', { a: '' });
  const graph = makeGraph([node]);
  toggleMark(node, 'a', true);
  const before = structuredClone(node.properties);
  reorder(collectMarks(graph), 5, 0);
  reorder(collectMarks(graph), 0, 0);
  reorder([], 0, 1);
  expect(node.properties).toEqual(before);
});
