import { nodeMarksSchema } from '@comfy-bridge/protocol';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { makeNode } from './_graphs.ts';
import { setDescimages, toggleMark, toggleOutput, updateMark } from './edit-marks.ts';
import { marksProperty, readMarks, writeMarks } from './stored-marks.ts';

const none = { v: 1, inputs: [] };

test('a node without properties has no marks, and none are written into it', () => {
  const node = makeNode(1, 'A');
  delete node.properties;
  expect(readMarks(node)).toEqual(none);
  writeMarks(node, { v: 1, inputs: [] });
  expect(node).not.toHaveProperty('properties');
  toggleMark(node, 'text', true);
  expect(node.properties).toEqual({ apiInputs: { v: 1, inputs: [{ name: 'text' }] } });
});

test('with the last mark the property goes, and others stay', () => {
  const node = makeNode(1, 'A', {}, { properties: { 'Node name for S&R': 'A' } });
  toggleMark(node, 'text', true);
  toggleOutput(node, true);
  setDescimages(node, ['a.png']);
  expect(readMarks(node)).toEqual({ v: 1, inputs: [{ name: 'text' }], output: true, descimages: ['a.png'] });
  toggleMark(node, 'text', false);
  toggleOutput(node, false);
  expect(node.properties?.[marksProperty]).toEqual({ v: 1, inputs: [], descimages: ['a.png'] });
  setDescimages(node, []);
  expect(node.properties).toEqual({ 'Node name for S&R': 'A' });
});

test.each([
  undefined,
  null,
  '',
  'text',
  7,
  [],
  {},
  { v: 2, inputs: [{ name: 'text' }] },
  { v: 1 },
  { v: 1, inputs: null },
  { v: 1, inputs: 'text' },
  { v: 1, inputs: [null, 7, 'text', [], {}, { name: '' }, { name: 7 }] },
  { v: 1, inputs: [], output: 'yes', descimages: [7, '../x', ''] },
])('%j in the property is no mark', (stored) => {
  expect(readMarks(makeNode(1, 'A', {}, { properties: { apiInputs: stored } }))).toEqual(none);
});

test('of a mark, what cannot be read is left out and the rest kept', () => {
  const stored = {
    name: 'text',
    label: 7,
    description: 'kept',
    required: 'yes',
    order: NaN,
    type: 'INT',
    format: 'pdf',
    min: '1',
    max: 9,
    step: 0,
    options: [null, {}],
    other: true,
  };
  const node = makeNode(1, 'A', {}, { properties: { apiInputs: { v: 1, inputs: [stored, null] } } });
  expect(readMarks(node).inputs).toEqual([{ name: 'text', description: 'kept', max: 9 }]);
});

test('whatever the property holds, what is read and written is what the protocol allows', () => {
  const field = fc.oneof(fc.anything(), fc.string(), fc.double(), fc.boolean());
  const mark = fc.record(
    {
      name: fc.string(),
      label: field,
      order: field,
      min: field,
      step: field,
      options: fc.array(field),
      type: field,
    },
    { requiredKeys: [] },
  );
  const stored = fc.oneof(
    fc.anything(),
    fc.record({ v: fc.constant(1), inputs: fc.array(mark), output: field }),
  );
  fc.assert(
    fc.property(stored, (value) => {
      const node = makeNode(1, 'A', {}, { properties: { apiInputs: value } });
      const { descimages: _, ...marks } = readMarks(node);
      expect(nodeMarksSchema.parse(marks)).toEqual(marks);
      writeMarks(node, marks);
      expect(readMarks(node)).toEqual(marks);
      const again = structuredClone(node.properties);
      writeMarks(node, readMarks(node));
      expect(node.properties).toEqual(again);
    }),
  );
});

test('copies of a node share no marks, whether the editor copies properties deeply or not', () => {
  const node = makeNode(1, 'A', { text: '' });
  toggleMark(node, 'text', true);
  updateMark(node, 'text', { options: ['a'] });
  const deep = makeNode(2, 'A', { text: '' }, { properties: structuredClone(node.properties!) });
  const shallow = makeNode(3, 'A', { text: '' }, { properties: { ...node.properties } });
  const before = readMarks(node);
  for (const copy of [deep, shallow]) {
    updateMark(copy, 'text', { label: 'Other', options: ['b'] });
    toggleMark(copy, 'more', true);
  }
  expect(readMarks(node)).toEqual(before);
});

test('what was read or written can be changed without changing the node', () => {
  const node = makeNode(1, 'A');
  const marks = { v: 1 as const, inputs: [{ name: 'text', options: ['a'] }] };
  writeMarks(node, marks);
  marks.inputs[0]!.options.push('b');
  readMarks(node).inputs[0]!.options!.push('c');
  readMarks(node).inputs.push({ name: 'more' });
  expect(readMarks(node).inputs).toEqual([{ name: 'text', options: ['a'] }]);
});
