import { expect, test } from 'vitest';

import { describe, markAll } from './_describe-marks.ts';
import { makeGraph, makeInstance, makeNode, makeWidget } from './_graphs.ts';
import { toggleMark, updateMark } from './edit-marks.ts';

test('a subgraph that is used twice gives each mark inside it twice', () => {
  const inner = makeNode(3, 'A', { text: '', seed: 1 });
  const inside = makeGraph([inner], { id: 'inside' });
  const promoted = { prompt: [[inner, 'text']] } as const;
  const [a, b] = [makeInstance(12, inside, promoted), makeInstance(13, inside, promoted)];
  toggleMark(inner, 'seed', true);
  updateMark(inner, 'seed', { label: 'Seed' });
  toggleMark(b, 'prompt', true);
  expect(describe(makeGraph([a, b]))).toEqual({
    '12:3/seed': [['12:3/seed'], ['duplicate-label']],
    '13/prompt': [['13:3/text'], []],
    '13:3/seed': [['13:3/seed'], ['duplicate-label']],
  });
});

test('a widget promoted through nested subgraphs reaches the innermost input, and several of them', () => {
  const [a, b] = [makeNode(3, 'A', { text: '' }), makeNode(4, 'B', { value: '' })];
  const nested = makeInstance(2, makeGraph([a], { id: 'nested' }), { inner: [[a, 'text']] });
  const host = makeInstance(12, makeGraph([nested, b], { id: 'inside' }), {
    p: [
      [nested, 'inner'],
      [b, 'value'],
    ],
  });
  markAll(host);
  expect(describe(makeGraph([host]))).toEqual({ '12/p': [['12:2:3/text', '12:4/value'], ['fans-out']] });
  b.mode = 2;
  expect(describe(makeGraph([host]))).toEqual({ '12/p': [['12:2:3/text'], []] });
});

test('without the function of newer editors the links of a subgraph are looked through', () => {
  const inner = makeNode(3, 'A', { text: '' });
  const host = makeInstance(12, makeGraph([inner], { id: 'inside' }), { p: [[inner, 'text']] });
  markAll(host);
  const expected = { '12/p': [['12:3/text'], []] };
  host.resolveSubgraphInputLinks = () => {
    throw new Error('not now');
  };
  expect(describe(makeGraph([host]))).toEqual(expected);
  delete host.resolveSubgraphInputLinks;
  expect(describe(makeGraph([host]))).toEqual(expected);
});

test.each([
  ['the widget says so', { sourceNodeId: '3', sourceWidgetName: 'text' }, {}],
  ['its overlay says so', { _overlay: { nodeId: '3', widgetName: 'text' } }, {}],
  ['also when it is an input as well', { sourceNodeId: 3, sourceWidgetName: 'text', slot: true }, {}],
  ['the property says so', {}, { proxyWidgets: [['-1', 'x'], null, ['3', 'text']] }],
  ['the property says so as text', {}, { proxyWidgets: '[["3","text"]]' }],
])('a widget that only shows an inner one reaches it: %s', (_, widget, properties) => {
  const inner = makeNode(3, 'A', { text: '' });
  const host = makeInstance(12, makeGraph([inner], { id: 'inside' }), {});
  host.widgets = [{ ...makeWidget('3: text', ''), ...widget }];
  host.properties = { ...properties };
  if ('slot' in widget) host.inputs = [{ name: '3: text', link: null, widget: { name: '3: text' } }];
  markAll(host);
  expect(describe(makeGraph([host]))).toEqual({ '12/3: text': [['12:3/text'], []] });
});

test('a widget that is an input and says where it comes from means that input once', () => {
  const inner = makeNode(3, 'A', { text: '' });
  const host = makeInstance(12, makeGraph([inner], { id: 'inside' }), { p: [[inner, 'text']] });
  Object.assign(host.widgets![0]!, { sourceNodeId: '3', sourceWidgetName: 'text' });
  markAll(host);
  expect(describe(makeGraph([host]))).toEqual({ '12/p': [['12:3/text'], []] });
});

test.each([
  { proxyWidgets: 'no JSON' },
  { proxyWidgets: [['9', 'text'], 7, [{}, 'p'], []] },
  { proxyWidgets: {} },
])('a promoted widget that leads nowhere is told: %j', (properties) => {
  const host = makeInstance(12, makeGraph([makeNode(3, 'A', { text: '' })], { id: 'inside' }), {});
  host.widgets = [makeWidget('p', '')];
  host.properties = properties;
  markAll(host);
  expect(describe(makeGraph([host]))).toEqual({ '12/p': [[], ['no-such-widget']] });
});
