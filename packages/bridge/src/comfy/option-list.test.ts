import { expect, test } from 'vitest';

import { cutOptions, joinOptions, uniteOptions } from './option-list.ts';

const files = Array.from({ length: 5_000 }, (_, index) => `folder ${index % 7}/file ${index}.safetensors`);

test('what is cut is the list again when joined', () => {
  for (const list of [files, [], ['only'], [1, true, 'x', 2.5]])
    expect(joinOptions(cutOptions(list))).toEqual(list);
});

test('a choice more in the middle changes one or two pieces', () => {
  const before = cutOptions(files).map((piece) => JSON.stringify(piece));
  const after = cutOptions(files.toSpliced(2_500, 0, 'new.safetensors')).map((piece) =>
    JSON.stringify(piece),
  );
  expect(before.length).toBeGreaterThan(10);
  expect(after.filter((piece) => !before.includes(piece)).length).toBeLessThanOrEqual(2);
});

test('pieces have a bound, also where nothing tells where to cut', () => {
  const same = Array.from({ length: 5_000 }, () => 'always the same');
  expect(Math.max(...cutOptions(same).map((piece) => piece.length))).toBeLessThanOrEqual(1_024);
});

test('a union has each choice once, in the order of first appearance', () => {
  expect(uniteOptions([['b', 'a'], ['a', 'c'], ['b'], [1, true]])).toEqual(['b', 'a', 'c', 1, true]);
  expect(uniteOptions([])).toEqual([]);
});

test('a union of joined lists is that of their choices', () => {
  const [first, second] = [files, files.toSpliced(10, 5, 'x')].map((list) => joinOptions(cutOptions(list)));
  const union = uniteOptions([first ?? [], second ?? []]);
  expect(new Set(union)).toEqual(new Set([...files, 'x']));
  expect(union).toHaveLength(files.length + 1);
});
