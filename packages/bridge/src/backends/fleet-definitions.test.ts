import { expect, test } from 'vitest';

import type { ComfyClient } from '../comfy/comfy-client.ts';
import type { NodeDefinition, NodeDefinitions } from '../comfy/object-info.ts';
import { createFleet } from './fleet.ts';
import type { Backend, Fleet } from './fleet.ts';

function startFleet(size: number): { fleet: Fleet; backends: readonly Backend[] } {
  const members = Array.from({ length: size }, (_, index) => ({
    name: `b${index}`,
    endpoint: { url: `http://127.0.0.1:${index + 1}` },
  }));
  const fleet = createFleet(members, () => ({}) as ComfyClient);
  return { fleet, backends: fleet.backends };
}

function loader(options: readonly string[]): NodeDefinition {
  const inputs = new Map([['file', { type: 'COMBO', required: true, options }]]);
  return { classType: 'Loader', displayName: 'Loader', outputNode: false, outputs: [], inputs };
}

const offer = (...definitions: NodeDefinition[]): NodeDefinitions =>
  new Map(definitions.map((definition) => [definition.classType, definition]));

const files = (fleet: Fleet) => fleet.findDefinition('Loader')?.inputs.get('file')?.options;

test('the version grows with every change of what somebody offers, and with nothing else', () => {
  const { fleet, backends } = startFleet(2);
  const [first, second] = backends;
  if (first === undefined || second === undefined) throw new Error('no backends');
  const seen = [fleet.definitionsVersion];
  const note = () => seen.push(fleet.definitionsVersion);
  const same = offer(loader(['a']));
  first.definitions = same;
  note();
  first.definitions = same;
  note();
  second.definitions = offer(loader(['b']));
  note();
  fleet.remove('b1');
  note();
  fleet.findDefinition('Loader');
  note();
  expect(seen).toEqual([0, 1, 1, 2, 3, 3]);
});

test('what a backend offers is found as long as it is in the fleet', () => {
  const { fleet, backends } = startFleet(2);
  expect(fleet.findDefinition('Loader')).toBeUndefined();
  for (const [index, backend] of backends.entries()) backend.definitions = offer(loader([`${index}`]));
  expect(files(fleet)).toEqual(['0', '1']);
  fleet.remove('b0');
  expect(files(fleet)).toEqual(['1']);
  fleet.remove('b1');
  expect(files(fleet)).toBeUndefined();
});

test('a class that did not change is not merged again when another one did', () => {
  const { fleet, backends } = startFleet(2);
  const [a, b] = [loader(['a']), loader(['b'])];
  const [first, second] = backends;
  if (first === undefined || second === undefined) throw new Error('no backends');
  [first.definitions, second.definitions] = [offer(a), offer(b)];
  const merged = fleet.findDefinition('Loader');
  second.definitions = offer(b, { ...loader([]), classType: 'New' });
  expect(fleet.findDefinition('New')).toBeDefined();
  expect(fleet.findDefinition('Loader')).toBe(merged);
});

test('a thousand backends that share their lists are merged in a few milliseconds', () => {
  const { fleet, backends } = startFleet(1_000);
  const lists = Array.from({ length: 3 }, (_, list) =>
    Array.from({ length: 20_000 }, (_, index) => `${list < 2 ? 'shared' : 'own'} ${index}`),
  );
  for (const [index, backend] of backends.entries())
    backend.definitions = offer(loader(lists[index % lists.length] ?? []));
  const began = performance.now();
  expect(files(fleet)).toHaveLength(40_000);
  // Without sharing it would look at twenty million choices, which takes seconds.
  expect(performance.now() - began).toBeLessThan(500);
});
