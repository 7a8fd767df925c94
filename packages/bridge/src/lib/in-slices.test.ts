import { expect, test } from 'vitest';

import { visitInSlices } from './in-slices.ts';

const items = Array.from({ length: 25 }, (_, index) => index);

test('visits all in their order, with room for others in between', async () => {
  const visited: number[] = [];
  const visitedAtTurns: number[] = [];
  let isOver = false;
  const watch = () => {
    visitedAtTurns.push(visited.length);
    if (!isOver) setImmediate(watch);
  };
  setImmediate(watch);
  const { signal } = new AbortController();
  await visitInSlices(items, (item) => visited.push(item), { size: 10, signal });
  isOver = true;
  expect(visited).toEqual(items);
  expect(visitedAtTurns).toEqual(expect.arrayContaining([10, 20]));
});

test('ends when it is given up between two slices', async () => {
  const visited: number[] = [];
  const stop = new AbortController();
  setImmediate(() => stop.abort());
  await visitInSlices(items, (item) => visited.push(item), { size: 10, signal: stop.signal });
  expect(visited).toHaveLength(10);
});

test('does not visit what went away meanwhile', async () => {
  const set = new Set(items);
  const visited: number[] = [];
  setImmediate(() => set.delete(24));
  await visitInSlices(set, (item) => visited.push(item), { size: 10, signal: new AbortController().signal });
  expect(visited).toEqual(items.slice(0, 24));
});
