import type { QueueEvent } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { parseJobId } from '../../jobs/job.ts';
import type { Job } from '../../jobs/job.ts';
import { newJob } from '../../../tests/_new-job.ts';
import { createQueueWatch } from './queue-watch.ts';

/** A line of so many jobs, the first of which is next. */
function makeLine(length: number) {
  let line = Array.from({ length }, (_, index) => newJob({ id: parseJobId(`job-${index}`) }));
  const times = { finishAt: 100_000, now: 0 };
  const watch = createQueueWatch({
    unfinished: () => line,
    positionOf: ({ id }) => line.findIndex((job) => job.id === id),
    etaOf: () => ({
      ...{ finishAt: times.finishAt, earliestAt: 0, latestAt: 0 },
      basis: 'measured',
    }),
    whyWaiting: () => null,
    now: () => times.now,
  });
  function look(isWanted: (job: Job) => boolean = () => true): [string, number][] {
    const told: QueueEvent[] = [];
    watch.look(isWanted, (_job, event) => told.push(event));
    return told.map(({ id, queue_position: place }) => [id, place]);
  }
  return { look, times, take: () => (line = line.slice(1)) };
}

test('places are told once, and again when they change', () => {
  const { look, take } = makeLine(3);
  expect(look()).toEqual([
    ['job-0', 0],
    ['job-1', 1],
    ['job-2', 2],
  ]);
  expect(look()).toEqual([]);
  take();
  expect(look()).toEqual([
    ['job-1', 0],
    ['job-2', 1],
  ]);
});

test('an end that moves a little is not told, one that moves much is', () => {
  const { look, times } = makeLine(1);
  look();
  times.finishAt += 1_000;
  expect(look()).toEqual([]);
  times.finishAt += 10_000;
  expect(look()).toEqual([['job-0', 0]]);
});

test('nobody is told of jobs that nobody asked for', () => {
  const { look } = makeLine(3);
  expect(look(({ id }) => id === 'job-1')).toEqual([['job-1', 1]]);
});

test('of a long line some are looked at each time, and all of them in turn', () => {
  const { look } = makeLine(1_200);
  const rounds = [look(), look(), look()];
  expect(rounds.map(({ length }) => length)).toEqual([500, 500, 200]);
  expect(new Set(rounds.flat().map(([id]) => id)).size).toBe(1_200);
});
