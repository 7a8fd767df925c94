import { expect, test } from 'vitest';

import { link, makeGraph, makeInstance, makeNode, makeWidget } from './_graphs.ts';
import { toggleMark } from './edit-marks.ts';
import type { NodeLike } from './graph-types.ts';
import { listCandidates } from './list-candidates.ts';

const brief = (node: NodeLike) =>
  listCandidates(node).map(({ name, marked, whyNot }) => [name, marked, whyNot]);

test('every widget is offered with its value and whether it is marked', () => {
  const node = makeNode(1, 'A', { text: 'x', seed: 5 });
  node.widgets![1]!.label = 'Seed';
  toggleMark(node, 'seed', true);
  expect(listCandidates(node)).toEqual([
    { name: 'text', label: 'text', type: 'text', value: 'x', marked: false, whyNot: undefined },
    { name: 'seed', label: 'Seed', type: 'number', value: 5, marked: true, whyNot: undefined },
  ]);
});

test('nodes without widgets, and of a class that is not installed, offer nothing but the marks they have', () => {
  const node: NodeLike = { id: 1, type: 'Missing' };
  expect(listCandidates(node)).toEqual([]);
  toggleMark(node, 'text', true);
  expect(brief(node)).toEqual([['text', true, 'unknown-node']]);
  node.widgets = [{ name: 'UNKNOWN', value: 1 }];
  expect(brief(node)).toEqual([
    ['UNKNOWN', false, 'unknown-node'],
    ['text', true, 'unknown-node'],
  ]);
});

test('a widget that cannot be marked to any use says why', () => {
  const node = makeNode(1, 'A', { linked: 1, 'a/b': 2, 'a,b': 3, 한국어: 4 });
  const graph = makeGraph([node]);
  link(graph, 9, 0, node, 'linked');
  node.widgets!.push(
    makeWidget('', 5),
    makeWidget('upload', '', { type: 'button' }),
    makeWidget('control', 'fixed', { options: { serialize: false } }),
    makeWidget('list', [1]),
  );
  expect(brief(node)).toEqual([
    ['linked', false, 'linked'],
    ['a/b', false, 'odd-name'],
    ['a,b', false, 'odd-name'],
    ['한국어', false, undefined],
    ['', false, 'no-name'],
    ['upload', false, 'not-exported'],
    ['control', false, 'not-exported'],
    ['list', false, 'not-exported'],
  ]);
});

test('values behind accessors, as the editor has them, are read', () => {
  class Accessor {
    name = 'text';
    get value(): string {
      return 'x';
    }
    get options() {
      return { serialize: false };
    }
  }
  const node = makeNode(1, 'A', {}, { widgets: [new Accessor()] });
  expect(listCandidates(node)).toMatchObject([{ value: 'x', whyNot: 'not-exported' }]);
});

test('of an instance of a subgraph its promoted widgets are offered, of the inside those of its nodes', () => {
  const inner = makeNode(3, 'A', { text: '', seed: 1 });
  const host = makeInstance(12, makeGraph([inner], { id: 'inside' }), { prompt: [[inner, 'text']] });
  host.widgets!.push(makeWidget('nowhere', ''));
  makeGraph([host]);
  expect(brief(host)).toEqual([
    ['prompt', false, undefined],
    ['nowhere', false, 'not-exported'],
  ]);
  expect(brief(inner)).toEqual([
    ['text', false, undefined],
    ['seed', false, undefined],
  ]);
});

test('nothing of a note or another node that only the editor knows can be marked to any use', () => {
  expect(brief(makeNode(1, 'Note', { text: '' }, { isVirtualNode: true }))).toEqual([
    ['text', false, 'not-exported'],
  ]);
});
