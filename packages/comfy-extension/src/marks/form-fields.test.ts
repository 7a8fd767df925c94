import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { toSlug as bridgeSlug } from '../../../bridge/src/workflows/inputs/name-inputs.ts';
import { makeGraph, makeInstance, makeNode, makeWidget } from './_graphs.ts';
import { toSlug } from './caller-names.ts';
import { collectMarks } from './collect-marks.ts';
import { toggleMark, updateMark, type MarkChanges } from './edit-marks.ts';
import { toFormFields } from './form-fields.ts';
import type { GraphLike, WidgetLike } from './graph-types.ts';

const fieldsOf = (graph: GraphLike) => toFormFields(collectMarks(graph));

/** The field of one widget of a node. */
function fieldOf(widget: Partial<WidgetLike>, changes: MarkChanges = {}, type = 'A') {
  const node = makeNode(1, type, {}, { title: 'Mine', widgets: [makeWidget('x', widget.value, widget)] });
  toggleMark(node, 'x', true);
  updateMark(node, 'x', changes);
  return fieldsOf(makeGraph([node]))[0];
}

test('slugs are those of the bridge', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(toSlug(text)).toBe(bridgeSlug(text));
    }),
  );
  expect(toSlug(' 부정 Prompt!')).toBe('부정_prompt');
});

test('a field says everything that a form shows', () => {
  const field = fieldOf(
    { value: 'x', type: 'customtext' },
    { label: 'My prompt', description: 'What to draw', required: true },
  );
  const { entry: _, ...shown } = field!;
  expect(shown).toEqual({
    ...{ name: 'my_prompt', key: '1/x', nodeId: '1', inputName: 'x', also: [], label: 'My prompt' },
    ...{ description: 'What to draw', required: true, value: 'x' },
    ...{ type: 'str', format: undefined, multiline: true },
    ...{ options: undefined, min: undefined, max: undefined, step: undefined },
  });
  expect(fieldOf({ value: '' })).toMatchObject({
    name: 'x',
    label: 'Mine: x',
    required: false,
    multiline: false,
  });
});

test.each<[string, Partial<WidgetLike>, MarkChanges, object]>([
  ['an integer', { value: 7, options: { precision: 0 } }, {}, { type: 'int' }],
  ['a whole number of a float', { value: 7, options: { precision: 2 } }, {}, { type: 'float' }],
  ['a fraction', { value: 0.5 }, {}, { type: 'float' }],
  ['a float that takes only whole numbers', { value: 0.5 }, { type: 'int' }, { type: 'int' }],
  ['a mark that is mistaken', { value: 'x' }, { type: 'int' }, { type: 'str' }],
  ['a value that is not there', { value: null }, { type: 'bool' }, { type: 'bool' }],
  ['a switch', { value: true }, {}, { type: 'bool' }],
  ['limits', { value: 7, options: { min: 0, max: 9, step: 10 } }, {}, { min: 0, max: 9, step: 1 }],
  ['limits of a newer editor', { value: 7, options: { step: 80, step2: 4 } }, {}, { step: 4 }],
  [
    'narrower limits',
    { value: 7, options: { min: 0, max: 9 } },
    { min: -1, max: 5, step: 2 },
    { min: 0, max: 5, step: 2 },
  ],
  ['limits that allow nothing', { value: 7, options: { min: 0, max: 9 } }, { min: 20 }, { min: 0, max: 9 }],
  ['limits of a text', { value: 'x', options: { min: 0 } }, { max: 1 }, { min: undefined, max: undefined }],
  ['options', { value: 'a', options: { values: ['a', 'b'] } }, {}, { type: 'str', options: ['a', 'b'] }],
  ['options by number', { value: 1, options: { values: [1, 2] } }, {}, { type: 'int', options: [1, 2] }],
  ['options of a function', { value: 'a', options: { values: () => ['a'] } }, {}, { options: ['a'] }],
  ['options in a table', { value: 'a', options: { values: { a: 'A' } } }, {}, { options: ['a'] }],
  ['no options', { value: 'a', options: { values: [] } }, {}, { options: undefined }],
  [
    'fewer options',
    { value: 'a', options: { values: ['a', 'b'] } },
    { options: ['b', 'c'] },
    { options: ['b'] },
  ],
  ['other options', { value: 'a', options: { values: ['a'] } }, { options: ['c'] }, { options: ['c'] }],
  [
    'a file',
    { value: 'a.png', options: { values: ['a.png'] } },
    { format: 'mask' },
    { type: 'str', format: 'mask', options: ['a.png'] },
  ],
])('%s', (_, widget, changes, expected) => {
  expect(fieldOf(widget, changes)).toMatchObject(expected);
});

test('a function of options that throws says nothing', () => {
  const values = () => {
    throw new Error('not now');
  };
  expect(fieldOf({ value: 'a', options: { values } })).toMatchObject({ options: undefined, type: 'str' });
});

test('fields that would be called the same are called by their keys', () => {
  const nodes = [1, 2].map((id) => makeNode(id, 'A', { text: '', [`own${id}`]: '' }));
  for (const node of nodes) for (const { name } of node.widgets!) toggleMark(node, name, true);
  expect(fieldsOf(makeGraph(nodes)).map(({ name }) => name)).toEqual(['1/text', 'own1', '2/text', 'own2']);
});

test('the loaders of files are known', () => {
  const node = makeNode(1, 'LoadImage', { image: 'x.png' });
  toggleMark(node, 'image', true);
  expect(fieldsOf(makeGraph([node]))).toMatchObject([{ format: 'image', key: '1/image' }]);
});

test('only what works is in the form, each input once', () => {
  const inner = makeNode(3, 'A', { text: 'inside' }, { title: 'Inner' });
  const host = makeInstance(
    12,
    makeGraph([inner], { id: 'inside' }),
    { prompt: [[inner, 'text']] },
    { prompt: 'outside' },
  );
  const muted = makeNode(1, 'A', { text: '' }, { mode: 2 });
  for (const node of [inner, host, muted]) for (const { name } of node.widgets!) toggleMark(node, name, true);
  toggleMark(host, 'gone', true);
  expect(fieldsOf(makeGraph([muted, host]))).toMatchObject([
    { name: 'prompt', label: 'prompt', key: '12:3/text', value: 'outside' },
  ]);
});
