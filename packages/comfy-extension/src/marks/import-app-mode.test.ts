import { readFileSync } from 'node:fs';

import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { findFixtureDefinition } from '../../../bridge/src/workflows/fixtures/ui-fixtures.ts';
import { makeGraph, makeInstance, makeNode } from './_graphs.ts';
import { collectMarks, collectOutputs } from './collect-marks.ts';
import { toggleMark } from './edit-marks.ts';
import { importFromAppMode } from './import-app-mode.ts';
import { fromSavedFile } from './_saved-graph.ts';
import { listInputs } from './form-fields.ts';

const rootId = '11111111-1111-4111-8111-111111111111';
const insideId = '22222222-2222-4222-8222-222222222222';

function makeApp(linearData: unknown) {
  const inner = makeNode(3, 'A', { text: '', 'a:b 한/국': '' });
  const inside = makeGraph([inner], { id: insideId });
  const host = makeInstance(12, inside, { prompt: [[inner, 'text']] });
  const sampler = makeNode(5, 'KSampler', { seed: 1, steps: 20, 'a:b 한/국': 0, 'a:b': 1 });
  const save = makeNode(9, 'SaveImage', { filename_prefix: '' });
  const extra = { linearMode: true, linearData };
  return { sampler, graph: makeGraph([host, sampler, save], { id: rootId, extra }) };
}

function take(linearData: unknown) {
  const { graph } = makeApp(linearData);
  const { left } = importFromAppMode(graph);
  return {
    marked: collectMarks(graph).map(({ path, mark }) => `${path}/${mark.name}`),
    outputs: collectOutputs(graph).map(({ path }) => path),
    left,
  };
}

const odd = encodeURIComponent('a:b 한/국');

test.each([
  ['a number', [5, 'seed'], '5/seed'],
  ['text', ['5', 'seed'], '5/seed'],
  ['with settings', [5, 'seed', { height: 40 }], '5/seed'],
  ['the host of a promoted widget', [12, 'prompt'], '12/prompt'],
  ['the way into a subgraph', ['12:3', 'a:b 한/국'], '12:3/a:b 한/국'],
  ['the way to an input that a promoted widget sets', ['12:3', 'text'], '12/prompt'],
  ['a graph and a node', [`${insideId}:3`, 'a:b 한/국'], '12:3/a:b 한/국'],
  ['the own graph and a node', [`${rootId}:5`, 'seed'], '5/seed'],
  ['a widget', [`${rootId}:5:seed`, 'seed'], '5/seed'],
  ['a widget with an odd name', [`${rootId}:5:${odd}`, 'shown name'], '5/a:b 한/국'],
  ['a widget inside a subgraph', [`${insideId}:3:${odd}`, 'x'], '12:3/a:b 한/국'],
  [
    'a graph of a workflow that was copied since',
    ['99999999-9999-4999-8999-999999999999:5:seed', 'seed'],
    '5/seed',
  ],
  ['a widget whose name has a colon', [`${rootId}:5:a:b`, 'x'], '5/a:b'],
  ['only the inner node of a promoted widget', [3, 'text'], '12/prompt'],
])('an input whose id is %s is taken', (_, input, key) => {
  expect(take({ inputs: [input], outputs: [] })).toEqual({ marked: [key], outputs: [], left: [] });
});

// Made by clicking in the App builder of these editors: the seed, the text that a subgraph promotes, the picture.
test.each(['1.45.21', '1.58.1'])('what the App builder of %s saved is taken', (version) => {
  const file = new URL(`fixtures/app-mode-${version}.json`, import.meta.url);
  const graph = fromSavedFile(JSON.parse(readFileSync(file, 'utf8')), findFixtureDefinition);
  expect(importFromAppMode(graph).left).toEqual([]);
  const entries = collectMarks(graph);
  expect(entries.map(({ path, mark, problems }) => [path, mark.name, problems])).toEqual([
    ['3', 'seed', []],
    ['10', 'text', []],
  ]);
  expect(listInputs(entries).map(({ target }) => `${target.nodeId}/${target.inputName}`)).toEqual([
    '3/seed',
    '10:6/text',
  ]);
  expect(collectOutputs(graph).map(({ path }) => path)).toEqual(['9']);
});

test('inputs come in the order of the app, after marks that are there, and outputs with them', () => {
  expect(
    take({
      inputs: [
        [5, 'steps'],
        ['12', 'prompt'],
        [5, 'seed'],
      ],
      outputs: [9, `${rootId}:5`],
    }),
  ).toEqual({
    marked: ['5/steps', '12/prompt', '5/seed'],
    outputs: ['5', '9'],
    left: [],
  });
  const { graph, sampler } = makeApp({ inputs: [[5, 'steps']] });
  toggleMark(sampler, 'seed', true);
  importFromAppMode(graph);
  expect(collectMarks(graph).map(({ mark }) => mark.name)).toEqual(['seed', 'steps']);
});

test('what is not there any more is left and told', () => {
  const inputs = [
    [77, 'seed'],
    [5, 'gone'],
    [`${insideId}:77:text`, 'text'],
    null,
    'text',
    [],
    [5],
    [{}, 'x'],
    [5, ''],
  ];
  expect(take({ inputs, outputs: [78, {}, ''] })).toEqual({
    marked: [],
    outputs: [],
    left: [
      { key: '77/seed', reason: 'no-such-node' },
      { key: '5/gone', reason: 'no-such-widget' },
      { key: `${insideId}:77:text/text`, reason: 'no-such-node' },
      { key: 'null', reason: 'unreadable' },
      { key: 'text', reason: 'unreadable' },
      { key: '[]', reason: 'unreadable' },
      { key: '[5]', reason: 'unreadable' },
      { key: '[{},"x"]', reason: 'unreadable' },
      { key: '[5,""]', reason: 'unreadable' },
      { key: '78', reason: 'no-such-node' },
      { key: '{}', reason: 'unreadable' },
      { key: '', reason: 'unreadable' },
    ],
  });
});

test('an inner node without the way to it is left where it could be several', () => {
  const { graph } = makeApp({ inputs: [[3, 'text']] });
  const [host] = graph.nodes!;
  const twin = makeInstance(13, host!.subgraph!, { prompt: [] });
  const { left } = importFromAppMode({ ...graph, nodes: [...graph.nodes!, twin] });
  expect(left).toEqual([{ key: '3/text', reason: 'no-such-node' }]);
});

test.each([undefined, null, 7, 'x', [], {}, { inputs: null, outputs: {} }])(
  '%j chooses nothing',
  (linearData) => {
    expect(take(linearData)).toEqual({ marked: [], outputs: [], left: [] });
  },
);

test('it reads what the author chose and leaves it as it was, whatever it is', () => {
  const id = fc.oneof(
    fc.integer(),
    fc.string(),
    fc.constantFrom('12:3', `${insideId}:3:%`, `${rootId}:`),
    fc.anything(),
  );
  const input = fc.oneof(fc.anything(), fc.tuple(id, fc.string()));
  fc.assert(
    fc.property(fc.record({ inputs: fc.array(input), outputs: fc.array(id) }), (linearData) => {
      const { graph } = makeApp(structuredClone(linearData));
      importFromAppMode(graph);
      expect(graph.extra?.['linearData']).toEqual(linearData);
      collectMarks(graph);
    }),
  );
});
