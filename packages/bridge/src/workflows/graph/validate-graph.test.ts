import type { ApiPrompt } from '@comfy-bridge/protocol';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { parseObjectInfo } from '../../comfy/object-info.ts';
import { findAssetReferences, toAssetReference } from './asset-references.ts';
import { findCycle } from './find-cycle.ts';
import { parseGraph } from './parse-graph.ts';
import { validateGraph } from './validate-graph.ts';

const definitions = parseObjectInfo({
  Load: {
    input: { required: { image: [['a.png'], { image_upload: true }] } },
    output: ['IMAGE', 'MASK'],
    output_node: false,
  },
  Scale: {
    input: {
      required: {
        image: ['IMAGE'],
        width: ['INT', { min: 1, max: 8192 }],
        factor: ['FLOAT', { min: 0.01 }],
        method: [['nearest', 'area']],
      },
      optional: { mask: ['MASK,FLOAT'] },
    },
    output: ['IMAGE'],
    output_node: false,
  },
  Any: { input: { required: { source: ['*'] } }, output: ['*'], output_node: false },
  Grow: { input: { required: { images: ['COMFY_AUTOGROW_V3', {}] } }, output: ['IMAGE'], output_node: false },
  Save: { input: { required: { images: ['IMAGE'] } }, output: [], output_node: true },
});
const findDefinition = (classType: string) => definitions.get(classType);

const good = (): ApiPrompt => ({
  '1': { class_type: 'Load', inputs: { image: 'a.png' } },
  '2': {
    class_type: 'Scale',
    inputs: { image: ['1', 0], width: 64, factor: 1.5, method: 'area', mask: ['1', 1] },
  },
  '3': { class_type: 'Save', inputs: { images: ['2', 0] } },
});

/** The good graph with other inputs of its second node. */
function scaled(inputs: Record<string, unknown>): ApiPrompt {
  const graph = good();
  graph['2'] = { class_type: 'Scale', inputs: { ...graph['2']?.inputs, ...inputs } };
  return graph;
}

const check = (prompt: ApiPrompt) => validateGraph(prompt, { findDefinition });

/** The reasons of what is wrong, as `node/field reason`. */
function reasonsOf(prompt: ApiPrompt): string[] {
  const checked = check(prompt);
  if (checked.ok) return [];
  return Object.entries(checked.nodeErrors).flatMap(([nodeId, problems]) =>
    problems.map(({ field, reason }) => `${nodeId}/${field} ${reason}`),
  );
}

describe('a graph', () => {
  test('that ComfyUI would run passes, with its outputs', () => {
    expect(check(good())).toEqual({ ok: true, outputNodes: ['3'] });
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['a link to nowhere', { image: ['7', 0] }, '2/image bad_linked_input'],
    ['a link to an output that is not there', { image: ['1', 2] }, '2/image bad_linked_input'],
    ['a link to half an output', { image: ['1', 0.5] }, '2/image bad_linked_input'],
    ['a link to an output of another type', { image: ['1', 1] }, '2/image return_type_mismatch'],
    ['a list that is no link', { image: ['1', 0, 0] }, '2/image bad_linked_input'],
    ['a missing literal', { width: undefined }, '2/width required_input_missing'],
    ['words for a number', { width: 'wide' }, '2/width invalid_input_type'],
    ['null for a number', { width: null }, '2/width invalid_input_type'],
    ['too little', { width: 0 }, '2/width value_smaller_than_min'],
    ['too much', { width: 8193 }, '2/width value_bigger_than_max'],
    ['a fraction that is too little', { factor: 0.001 }, '2/factor value_smaller_than_min'],
    ['an object for a number', { factor: {} }, '2/factor invalid_input_type'],
  ])('with %s is refused at that input', (_what, inputs, reason) => {
    expect(reasonsOf(scaled(inputs))).toEqual([reason]);
  });

  test.each<[string, Record<string, unknown>]>([
    ['numbers as text', { width: '64', factor: '1e-1' }],
    ['a truth value for a number', { width: true }],
    ['an optional input left out', { mask: undefined }],
    ['an input that nobody knows', { extra: ['9', 9] }],
    ['a choice that no list has: its node may know better', { method: 'lanczos' }],
  ])('with %s passes', (_what, inputs) => {
    expect(reasonsOf(scaled(inputs))).toEqual([]);
  });

  test('with several faults names each, and the first ones in its message', () => {
    const graph = { ...scaled({ width: 0, factor: 'x' }), '4': { class_type: 'Nope', inputs: {} } };
    expect(reasonsOf(graph)).toEqual([
      '2/width value_smaller_than_min',
      '2/factor invalid_input_type',
      '4/class_type missing_node_type',
    ]);
    const checked = check(graph);
    expect(checked.ok ? '' : checked.message).toBe(
      'Node 4 (Nope): no ComfyUI of the fleet has the node class "Nope"; Node 2 (Scale): width: it must be at least 1',
    );
  });

  test('without an output is refused', () => {
    const checked = check({ '1': { class_type: 'Load', inputs: { image: 'a.png' } } });
    expect(checked).toMatchObject({ ok: false, message: expect.stringContaining('output'), nodeErrors: {} });
  });

  test('may hold faults that no output needs, as in ComfyUI', () => {
    expect(reasonsOf({ ...good(), '9': { class_type: 'Scale', inputs: {} } })).toEqual([]);
  });

  test('that leads back to itself is refused, however long the way', () => {
    const graph = good();
    graph['1'] = { class_type: 'Any', inputs: { source: ['2', 0] } };
    expect(reasonsOf(graph)).toContain('1/inputs dependency_cycle');
    const chain: ApiPrompt = { end: { class_type: 'Save', inputs: { images: ['0', 0] } } };
    for (let i = 0; i < 5_000; i += 1)
      chain[String(i)] = { class_type: 'Any', inputs: { source: [String((i + 1) % 5_000), 0] } };
    expect(reasonsOf(chain)).toContain('4999/inputs dependency_cycle');
  });

  test('may feed inputs that take anything, and inputs that grow with use', () => {
    const graph = good();
    graph['2'] = { class_type: 'Any', inputs: { source: ['1', 1] } };
    expect(reasonsOf(graph)).toEqual([]);
    graph['2'] = { class_type: 'Grow', inputs: { 'images.image0': ['1', 0] } };
    expect(reasonsOf(graph)).toEqual([]);
  });

  test('may leave to the bridge what it stages', () => {
    const graph = good();
    graph['1'] = { class_type: 'Load', inputs: {} };
    expect(reasonsOf(graph)).toEqual(['1/image required_input_missing']);
    const isStaged = (nodeId: string, inputName: string) => `${nodeId}/${inputName}` === '1/image';
    expect(validateGraph(graph, { findDefinition, isStaged }).ok).toBe(true);
  });

  test('of any kind is answered, and never changed', () => {
    const value = fc.oneof(
      fc.jsonValue(),
      fc.tuple(fc.constantFrom('1', '2', '3', '__proto__', 'constructor'), fc.integer({ min: -1, max: 3 })),
    );
    const node = fc.record({
      class_type: fc.constantFrom('Load', 'Scale', 'Any', 'Save', 'Grow', 'Nope', 'toString'),
      inputs: fc.dictionary(fc.constantFrom('image', 'images', 'width', 'source', 'mask', 'toString'), value),
    });
    const graphs = fc.dictionary(fc.constantFrom('1', '2', '3', 'constructor'), node);
    fc.assert(
      fc.property(graphs, (graph) => {
        const before = structuredClone(graph);
        const parsed = parseGraph(graph);
        if (parsed.ok) validateGraph(parsed.prompt, { findDefinition });
        expect(graph).toEqual(before);
      }),
    );
  });
});

describe('what is no graph at all', () => {
  test.each([null, [], 'text', 7, {}, { '1': [] }, { '1': { inputs: {} } }, { '': { class_type: 'Save' } }])(
    '%j is refused in words',
    (value) => {
      expect(parseGraph(value)).toMatchObject({ ok: false, message: expect.stringMatching(/node/) });
    },
  );

  test('a node named __proto__ sets no prototype', () => {
    expect(parseGraph(JSON.parse('{"__proto__": {"class_type": "Save"}}')).ok).toBe(false);
  });

  test('marks of the author are left out, titles are kept', () => {
    const _meta = { title: 'Mine', bridge: { v: 1 }, apiinput: 'images' };
    const parsed = parseGraph({ '1': { class_type: 'Save', inputs: {}, _meta } });
    expect(parsed).toEqual({
      ok: true,
      prompt: { '1': { class_type: 'Save', inputs: {}, _meta: { title: 'Mine' } } },
    });
  });
});

describe('asset references', () => {
  const id = '9f8a1c0d-2b3e-4f56-8a7b-1c2d3e4f5a6b';

  test('are found as values of inputs', () => {
    const prompt = { '1': { class_type: 'Load', inputs: { image: toAssetReference(id), other: 1 } } };
    expect(findAssetReferences(prompt)).toEqual({
      ok: true,
      uses: [{ nodeId: '1', inputName: 'image', assetId: id }],
    });
  });

  test.each([
    { __type: 'core/ASSET' },
    { __type: 'core/ASSET', info: { id: 7 } },
    { __type: 'core/ASSET', info: { id: '../../etc/passwd' } },
    { deeper: [toAssetReference(id)] },
  ])('%j is told, not left in', (image) => {
    expect(findAssetReferences({ '1': { class_type: 'Load', inputs: { image } } }).ok).toBe(false);
  });
});

test('a cycle is given in the order of its links', () => {
  const to = (nodeId: string) => ({ class_type: 'Any', inputs: { source: [nodeId, 0] } });
  expect(findCycle({ a: to('b'), b: to('c'), c: to('b') }, ['a'])).toEqual(['b', 'c']);
  expect(findCycle({ a: to('b'), b: to('c'), c: to('gone') }, ['a'])).toEqual([]);
});
