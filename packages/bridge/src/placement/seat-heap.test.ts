import { expect, test } from 'vitest';

import { seededRuns } from './_random.ts';
import { SeatHeap } from './seat-heap.ts';

function heapOf(keys: number[]): SeatHeap {
  return new SeatHeap(keys.keys(), (seat) => keys[seat] ?? 0);
}

test('without seats there is no best one', () => {
  expect(heapOf([]).best()).toBeUndefined();
});

test('the best has the least key', () => {
  expect(heapOf([3, 1, 2]).best()).toBe(1);
});

test('asking takes nothing away', () => {
  const heap = heapOf([3, 1, 2]);
  expect([heap.best(), heap.best(), heap.best()]).toEqual([1, 1, 1]);
});

test('a key that has grown is noticed without being told', () => {
  const keys = [1, 2, 3];
  const heap = heapOf(keys);
  keys[0] = 10;
  expect(heap.best()).toBe(1);
  keys[1] = 11;
  keys[2] = 12;
  expect(heap.best()).toBe(0);
});

test('a key that has become smaller is noticed once it is told', () => {
  const keys = [1, 2, 3];
  const heap = heapOf(keys);
  keys[2] = 0;
  heap.push(2);
  expect(heap.best()).toBe(2);
});

test('the best has the least of all keys, whatever grows', () => {
  for (const { seed, random } of seededRuns(100)) {
    const keys = Array.from({ length: random.between(1, 40) }, () => random.between(0, 50));
    const heap = heapOf(keys);
    for (let step = 0; step < 200; step += 1) {
      const seat = random.between(0, keys.length - 1);
      keys[seat] = (keys[seat] ?? 0) + random.between(0, 30);
      const best = heap.best();
      expect(best === undefined ? undefined : keys[best], `seed ${seed}`).toBe(Math.min(...keys));
    }
  }
});

test('a seat that was told of twice is one seat still', () => {
  const keys = [5, 6];
  const heap = new SeatHeap(keys.keys(), (seat) => keys[seat] ?? 0);
  keys[1] = 4;
  heap.push(1);
  keys[1] = 3;
  heap.push(1);
  expect(heap.best()).toBe(1);
  keys[1] = 9;
  expect(heap.best()).toBe(0);
});

test('the best has the least of all keys, whatever grows and whatever is told to have shrunk', () => {
  for (const { seed, random } of seededRuns(100)) {
    const keys = Array.from({ length: random.between(1, 40) }, () => random.between(0, 50));
    const heap = new SeatHeap(keys.keys(), (seat) => keys[seat] ?? 0);
    for (let step = 0; step < 200; step += 1) {
      const seat = random.between(0, keys.length - 1);
      if (random.chance(0.8)) keys[seat] = (keys[seat] ?? 0) + random.between(0, 30);
      else {
        keys[seat] = (keys[seat] ?? 0) - random.between(0, 60);
        heap.push(seat);
      }
      const best = heap.best();
      expect(best === undefined ? undefined : keys[best], `seed ${seed}`).toBe(Math.min(...keys));
    }
  }
});

test('of seats that are as good the first one is the best, however many are busy before it', () => {
  for (const { seed, random } of seededRuns(50)) {
    const keys = Array.from({ length: random.between(2, 20) }, () => random.pick([1, 2]));
    const heap = new SeatHeap(keys.keys(), (seat) => keys[seat] ?? 0);
    for (let step = 0; step < 20; step += 1) {
      const best = heap.best() ?? -1;
      expect(best, `seed ${seed}`).toBe(keys.indexOf(Math.min(...keys)));
      keys[best] = (keys[best] ?? 0) + 1;
    }
  }
});

test('a key that is no number ends the search too', () => {
  let looks = 0;
  const heap = new SeatHeap([0, 1], () => {
    if ((looks += 1) > 100) throw new Error('looks for ever');
    return Number.NaN;
  });
  expect(heap.best()).toBeDefined();
});
