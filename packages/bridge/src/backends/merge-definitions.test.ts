import { expect, test } from 'vitest';

import type { NodeDefinition } from '../comfy/object-info.ts';
import { mergeDefinitions } from './merge-definitions.ts';

function loader(options: readonly string[] | undefined, rest: Partial<NodeDefinition> = {}): NodeDefinition {
  return {
    classType: 'Loader',
    displayName: 'Loader',
    outputNode: false,
    outputs: [],
    inputs: new Map([
      ['file', { type: 'COMBO', required: true, ...(options !== undefined && { options }) }],
      ['strength', { type: 'FLOAT', required: false }],
    ]),
    ...rest,
  };
}

const optionsOf = (definition: NodeDefinition | undefined) => definition?.inputs.get('file')?.options;

test('the choices of all, each once; for the rest the first one’s word', () => {
  const merged = mergeDefinitions([loader(['a', 'b']), loader(['b', 'c'], { displayName: 'Other' })]);
  expect(optionsOf(merged)).toEqual(['a', 'b', 'c']);
  expect(merged?.displayName).toBe('Loader');
});

test('where nothing differs, nothing is copied', () => {
  const list = ['a'];
  const first = loader(list);
  expect(mergeDefinitions([first, first])).toBe(first);
  expect(mergeDefinitions([first, loader(list)])).toBe(first);
  const [one, other] = [loader(list), loader(['z'])];
  expect(mergeDefinitions([one, other])?.inputs.get('strength')).toBe(one.inputs.get('strength'));
});

test('none, and one that does not list its choices', () => {
  expect(mergeDefinitions([])).toBeUndefined();
  expect(optionsOf(mergeDefinitions([loader(undefined), loader(['a'])]))).toBeUndefined();
  expect(optionsOf(mergeDefinitions([loader(['a']), loader(undefined)]))).toEqual(['a']);
});
