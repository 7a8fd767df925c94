import { expect, test } from 'vitest';

import { isRecord } from '../../lib/is-record.ts';
import { parseLossless } from '../../lib/lossless-json.ts';
import {
  findFixtureDefinition,
  readEditorAnswer,
  readUiFixture,
  uiFixtures,
} from '../fixtures/ui-fixtures.ts';
import { convertUiWorkflow } from './convert-ui-workflow.ts';

const convert = (workflow: unknown) => convertUiWorkflow(workflow, { findDefinition: findFixtureDefinition });

type Json = Record<string, unknown>;
const records = (value: unknown): Json[] => (Array.isArray(value) ? value.filter(isRecord) : []);

/** A workflow of the fixtures with one node changed. */
function withNode(fixture: string, id: number, change: Json): Json {
  const workflow = readUiFixture(fixture);
  const nodes = records(workflow['nodes']).map((node) => (node['id'] === id ? { ...node, ...change } : node));
  return { ...workflow, nodes };
}

function reasonsOf(workflow: unknown): string {
  const converted = convert(workflow);
  return converted.ok ? '' : converted.reasons.join('\n');
}

function inputsOf(workflow: unknown, id: string): unknown {
  const converted = convert(workflow);
  if (!converted.ok) throw new Error(converted.reasons.join('\n'));
  return converted.prompt[id]?.inputs;
}

test.each(uiFixtures)('%s comes out as the editor itself made it', (name) => {
  expect(convert(readUiFixture(name))).toEqual({ ok: true, prompt: readEditorAnswer(name) });
});

test('there is a fixture for every construct', () => {
  expect(uiFixtures.length).toBeGreaterThanOrEqual(13);
});

test('a seed beyond 2^53 keeps its digits', () => {
  const workflow = parseLossless(
    JSON.stringify(withNode('text-to-image', 5, {})).replaceAll('81726354', '18446744073709551615'),
  );
  expect(inputsOf(workflow, '5')).toMatchObject({ seed: 18446744073709551615n });
});

test('what is saved of a node wins over the definition, whose defaults fill what is missing', () => {
  expect(inputsOf(withNode('text-to-image', 5, { widgets_values: [7, 'fixed', 3] }), '5')).toMatchObject({
    seed: 7,
    steps: 3,
    cfg: 8,
    denoise: 1,
  });
  expect(inputsOf(withNode('text-to-image', 4, { widgets_values: undefined }), '4')).toMatchObject({
    width: 512,
    height: 512,
  });
});

test('nodes inside a subgraph that is bypassed or muted are not sent, and what it gave is missing', () => {
  for (const mode of [2, 4]) {
    const converted = convert(withNode('subgraph-twice', 20, { mode }));
    const ids = converted.ok ? Object.keys(converted.prompt) : [];
    expect(ids.filter((id) => id.startsWith('20:'))).toEqual([]);
    expect(ids.some((id) => id.startsWith('8:'))).toBe(true);
    expect(converted.ok && converted.prompt['21']?.inputs).toEqual({ filename_prefix: 'second' });
  }
});

test('a muted node takes its links with it', () => {
  expect(inputsOf(withNode('text-to-image', 1, { mode: 2 }), '5')).not.toHaveProperty('model');
});

test.each([
  ['not a workflow', 7, /not in the editor's format/],
  ['API format', { '1': { class_type: 'A', inputs: {} } }, /not in the editor's format/],
  ['nothing', { nodes: [], links: [] }, /no active node/],
  [
    'an unknown class',
    withNode('text-to-image', 5, { type: 'MadeUpSampler' }),
    /node 5 \(MadeUpSampler\) is of a class that no machine has: install/,
  ],
  [
    'more values than the node has here',
    withNode('text-to-image', 4, { widgets_values: [1, 2, 3, 4] }),
    /node 4 .*its 4 values do not fit: the machines have another version/,
  ],
  [
    'a value of another type',
    withNode('text-to-image', 4, { widgets_values: ['wide', 2, 3] }),
    /node 4 .*"width" has a value that is not of its type INT/,
  ],
  [
    'a choice in braces',
    withNode('dynamic-prompts', 1, { widgets_values: ['a {red|blue} house'] }),
    /node 1 .*"text" has a choice in braces/,
  ],
  [
    'a date in a file name',
    withNode('text-to-image', 7, { widgets_values: ['%date:yyyy-MM-dd%/x'] }),
    /node 7 .*"filename_prefix" has text between %/,
  ],
  ['no file chosen', withNode('files-and-previews', 1, { widgets_values: ['', 'image'] }), /names no file/],
  ['values by name', withNode('text-to-image', 5, { widgets_values: { seed: 1 } }), /saved in a way/],
  [
    'an old group node',
    withNode('text-to-image', 5, { type: 'workflow>mine' }),
    /node 5 .*is a group node of old editors/,
  ],
  [
    'a primitive that the editor would round',
    withNode('primitive-nodes', 8, { widgets_values: [833, 'fixed'] }),
    /PrimitiveNode\) has a value that the editor would round/,
  ],
  [
    'a name that nothing sets',
    withNode('named-links', 3, { widgets_values: ['none'] }),
    /exactly one active SetNode/,
  ],
  [
    'values of a subgraph that do not fit',
    withNode('subgraph-twice', 20, { widgets_values: [1, 2] }),
    /subgraph "Sampler".*its 2 values do not fit its 3 widgets/,
  ],
  [
    'values beside proxies',
    withNode('subgraph-twice', 20, { properties: { proxyWidgets: [['5', 'seed']] } }),
    /in the way of editors 1\.28 to 1\.47/,
  ],
  ['two nodes of one id', withNode('text-to-image', 5, { id: 4 }), /two nodes with the id 4/],
  [
    'links of another version',
    { ...readUiFixture('text-to-image'), version: 1 },
    /links that are not written/,
  ],
  ['a link that is gone', { ...readUiFixture('text-to-image'), links: [] }, /leads nowhere/],
])('%s is refused, with what to do', (_, workflow, words) => {
  expect(reasonsOf(workflow)).toMatch(words);
});

test('every reason is told at once', () => {
  const workflow = readUiFixture('text-to-image');
  const nodes = records(workflow['nodes']).map((node) => ({ ...node, type: `${String(node['type'])}X` }));
  const converted = convert({ ...workflow, nodes });
  // All but those that are muted.
  expect(converted.ok ? [] : converted.reasons).toHaveLength(
    records(workflow['nodes']).filter(({ mode }) => mode !== 2).length,
  );
});

test('a link in a circle ends', () => {
  const reroute = (id: number, link: number, out: number) => ({
    id,
    type: 'Reroute',
    inputs: [{ name: '', type: '*', link }],
    outputs: [{ type: '*', links: [out] }],
  });
  const workflow = {
    version: 0.4,
    nodes: [
      reroute(1, 2, 1),
      reroute(2, 1, 2),
      { id: 3, type: 'VAEDecode', inputs: [{ name: 'vae', type: 'VAE', link: 3 }] },
    ],
    links: [
      [1, 1, 0, 2, 0, '*'],
      [2, 2, 0, 1, 0, '*'],
      [3, 1, 0, 3, 0, 'VAE'],
    ],
  };
  expect(reasonsOf(workflow)).toMatch(/node 3 .*run in a circle/);
});

const subgraph = (id: string, nodes: unknown[]) => ({ id, version: 1, name: id, nodes, links: [] });

test('subgraphs that hold themselves, or unfold to more than 10,000 nodes, are refused', () => {
  const inside = (type: string, count = 1) => Array.from({ length: count }, (_, id) => ({ id, type }));
  const itself = {
    nodes: inside('a'),
    links: [],
    definitions: { subgraphs: [subgraph('a', inside('a'))] },
  };
  expect(reasonsOf(itself)).toMatch(/more than 20 deep, or hold themselves/);
  const unfolded = (count: number) => ({
    nodes: [...inside('a'), { id: 1, type: 'Note' }],
    links: [],
    definitions: { subgraphs: [subgraph('a', inside('Note', count))] },
  });
  expect(reasonsOf(unfolded(9_998))).toMatch(/no active node/);
  expect(reasonsOf(unfolded(9_999))).toMatch(/more than 10000 nodes/);
});
