import { expect, test } from 'vitest';

import type { Backend } from '../backends/fleet.ts';
import type { JobId } from '../jobs/job.ts';
import { findSteals } from './find-steals.ts';

const idle = { name: 'idle' } as Backend;
const other = { name: 'other' } as Backend;

function prefetched(id: string, finishAt: number, costs: Record<string, number>) {
  return {
    id: id as JobId,
    backend: 'busy',
    finishAt,
    costOn(backend: Backend) {
      const runMs = costs[backend.name];
      return runMs === undefined ? undefined : { runMs, loadMs: 0, isProven: true };
    },
  };
}

test('a job behind a stalled one goes to an idle machine that is done sooner', () => {
  expect(findSteals([prefetched('a', 60_000, { idle: 5_000 })], [idle], 0)).toEqual([{ id: 'a', to: idle }]);
});

test('a small gain is not worth the move', () => {
  expect(findSteals([prefetched('a', 5_900, { idle: 5_000 })], [idle], 0)).toEqual([]);
  expect(findSteals([prefetched('a', 12_000, { idle: 10_000 })], [idle], 0)).toEqual([]);
});

test('a machine that cannot run it steals nothing', () => {
  expect(findSteals([prefetched('a', 60_000, {})], [idle], 0)).toEqual([]);
});

test('an idle machine takes one, the one that would wait longest, and the next machine the next', () => {
  const jobs = [
    prefetched('a', 50_000, { idle: 5_000, other: 6_000 }),
    prefetched('b', 90_000, { idle: 5_000, other: 6_000 }),
    prefetched('c', 40_000, { idle: 5_000, other: 6_000 }),
  ];
  expect(findSteals(jobs, [idle, other], 0)).toEqual([
    { id: 'b', to: idle },
    { id: 'a', to: other },
  ]);
});
