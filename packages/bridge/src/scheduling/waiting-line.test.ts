import { expect, test } from 'vitest';

import { newJob } from '../../tests/_new-job.ts';
import type { Job } from '../jobs/job.ts';
import type { Wish } from './pick-backend.ts';
import { createWaitingLine } from './waiting-line.ts';

const wish: Wish = { workflow: 'any', nodeClasses: [], excluded: [] };

function lineOf(...jobs: Job[]) {
  const line = createWaitingLine();
  for (const job of jobs) line.add(job, wish);
  return { line, order: () => [...line.entries()].map(([id]) => id) };
}

const [first, second, third] = [100, 200, 300].map((createdAt) => newJob({ createdAt })) as [Job, Job, Job];

test('jobs stand in the order in which they came, and know their place', () => {
  const { line, order } = lineOf(first, second, third);
  expect(order()).toEqual([first.id, second.id, third.id]);
  expect([first, second, third].map(({ id }) => line.positionOf(id))).toEqual([0, 1, 2]);
  expect(line.size).toBe(3);
});

test('one that comes back after a lost attempt gets its old place', () => {
  const { line, order } = lineOf(first, second, third);
  expect(line.remove(first.id)).toBe(true);
  line.add(first, wish);
  expect(order()).toEqual([first.id, second.id, third.id]);
  line.remove(second.id);
  line.add(second, wish);
  expect(order()).toEqual([first.id, second.id, third.id]);
});

test('it also gets it when all that had come before or after it were placed meanwhile', () => {
  const { line, order } = lineOf(first, second, third);
  for (const { id } of [first, second, third]) line.remove(id);
  line.add(second, wish);
  line.add(third, wish);
  line.add(first, wish);
  expect(order()).toEqual([first.id, second.id, third.id]);
});

test('jobs of one millisecond keep the order of their coming', () => {
  const twins = [newJob({ createdAt: 100 }), newJob({ createdAt: 100 }), newJob({ createdAt: 100 })];
  const { line, order } = lineOf(...twins, third);
  expect(order()).toEqual([...twins, third].map(({ id }) => id));
  line.add(newJob({ createdAt: 50 }), wish);
  expect(order().slice(1, 4)).toEqual(twins.map(({ id }) => id));
});

test('a job that is added twice stands there once, with its newest wish', () => {
  const { line } = lineOf(first, second);
  line.add(first, { ...wish, excluded: ['backend-1'] });
  expect(line.size).toBe(2);
  expect([...line.entries()][0]).toEqual([first.id, { ...wish, excluded: ['backend-1'] }]);
});

test('what does not wait has no place and cannot be removed', () => {
  const { line } = lineOf(first);
  expect(line.positionOf(second.id)).toBeUndefined();
  expect(line.remove(second.id)).toBe(false);
});

test('jobs may be taken out while the line is walked', () => {
  const { line } = lineOf(first, second, third);
  const seen: string[] = [];
  for (const [id] of line.entries()) {
    seen.push(id);
    line.remove(id);
  }
  expect(seen).toHaveLength(3);
  expect(line.size).toBe(0);
});
