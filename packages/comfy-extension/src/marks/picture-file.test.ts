import { expect, test } from 'vitest';

import { makeGraph, makeNode } from './_graphs.ts';
import { pictureFile } from './picture-file.ts';

const sampler = makeNode(3, 'KSampler');

test('one node that saves pictures gives one', () => {
  expect(pictureFile(makeGraph([sampler, makeNode(9, 'SaveImage')]), 'my flow')).toBe('my_flow.png');
  expect(pictureFile(makeGraph([makeNode(9, 'SaveAnimatedWEBP')]), '그림')).toBe('그림.webp');
});

test.each([
  ['none', []],
  ['two', [makeNode(9, 'SaveImage'), makeNode(10, 'PreviewImage')]],
  ['one that is no picture', [makeNode(9, 'SaveVideo')]],
  ['one with the name of something else', [makeNode(9, 'Saveconstructor')]],
])('%s gives none', (_what, nodes) => {
  expect(pictureFile(makeGraph([sampler, ...nodes]), 'a')).toBeUndefined();
});

test('muted nodes do not count, and marked ones count alone', () => {
  const muted = makeNode(10, 'SaveImage', {}, { mode: 2 });
  expect(pictureFile(makeGraph([makeNode(9, 'SaveImage'), muted]), 'a')).toBe('a.png');
  const marked = makeNode(
    10,
    'PreviewImage',
    {},
    { properties: { apiInputs: { v: 1, inputs: [], output: true } } },
  );
  expect(pictureFile(makeGraph([makeNode(9, 'SaveVideo'), marked]), 'a')).toBe('a.png');
});

test('the name is a file beside whoever saves it', () => {
  const graph = makeGraph([makeNode(9, 'SaveImage')]);
  expect(pictureFile(graph, '../../etc/x')).toBe('_.._etc_x.png');
  expect(pictureFile(graph, '--output')).toBe('output.png');
  expect(pictureFile(graph, '//')).toBe('_.png');
  expect(pictureFile(graph, '..')).toBe('result.png');
});
