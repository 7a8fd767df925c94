import { expect, test } from 'vitest';

import { seededRuns } from './_random.ts';
import { SortedLine } from './sorted-line.ts';

interface Item {
  order: number;
  seq: number;
}

function lineOf(...items: Item[]): SortedLine<Item> {
  const line = new SortedLine<Item>();
  for (const item of items) line.add(item);
  return line;
}

test('what comes in any order is sorted by order, then by number', () => {
  const [a, b, c, d] = [
    { order: 1, seq: 2 },
    { order: 0, seq: 3 },
    { order: 1, seq: 1 },
    { order: -Infinity, seq: 9 },
  ];
  const line = lineOf(a, b, c, d);
  expect([...line]).toEqual([d, b, c, a]);
  expect(line.positionOf(d)).toBe(0);
  expect(line.positionOf(a)).toBe(3);
});

test('what is not in the line has no place and cannot be removed, even if it looks the same', () => {
  const line = lineOf({ order: 1, seq: 1 });
  const twin = { order: 1, seq: 1 };
  expect(line.positionOf(twin)).toBeUndefined();
  expect(line.remove(twin)).toBe(false);
  expect(line.size).toBe(1);
});

test('what was removed is gone, and can come back', () => {
  const item = { order: 1, seq: 1 };
  const line = lineOf({ order: 0, seq: 0 }, item, { order: 2, seq: 2 });
  expect(line.remove(item)).toBe(true);
  expect(line.remove(item)).toBe(false);
  expect(line.positionOf(item)).toBeUndefined();
  line.add(item);
  expect(line.positionOf(item)).toBe(1);
});

test('it behaves as a sorted array does, whatever is added and removed', () => {
  for (const { seed, random } of seededRuns(60)) {
    const line = new SortedLine<Item>();
    let model: Item[] = [];
    for (let step = 0, seq = 0; step < 300; step += 1) {
      if (model.length === 0 || random.chance(0.55)) {
        const item = { order: random.between(-20, 20) / 2, seq: (seq += 1) };
        line.add(item);
        model = [...model, item].toSorted((a, b) => a.order - b.order || a.seq - b.seq);
      } else {
        const [front] = model;
        const item = front !== undefined && random.chance(0.6) ? front : random.pick(model);
        expect(line.remove(item)).toBe(true);
        model = model.filter((other) => other !== item);
      }
      expect(line.size, `seed ${seed}`).toBe(model.length);
      if (model.length > 0) {
        const item = random.pick(model);
        expect(line.positionOf(item), `seed ${seed}`).toBe(model.indexOf(item));
      }
    }
    expect([...line], `seed ${seed}`).toEqual(model);
  }
});

test('ten thousand that come and go at its front leave the rest in order', () => {
  const line = new SortedLine<Item>();
  for (let seq = 0; seq < 12_000; seq += 1) line.add({ order: seq, seq });
  for (let taken = 0; taken < 10_000; taken += 1) {
    const [front] = line;
    if (front === undefined) throw new Error('the line is empty');
    expect(line.remove(front)).toBe(true);
    if (taken % 1_000 === 0) line.add({ order: front.order + 0.5, seq: front.seq });
  }
  expect(line.size).toBe(2_010);
  const orders = [...line].map(({ order }) => order);
  expect(orders).toEqual(orders.toSorted((a, b) => a - b));
  expect(orders.at(-1)).toBe(11_999);
});
