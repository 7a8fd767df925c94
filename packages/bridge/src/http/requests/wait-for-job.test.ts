import { expect, test } from 'vitest';

import { newJob } from '../../../tests/_new-job.ts';
import { createEvents } from '../../events.ts';
import type { JobId } from '../../jobs/job.ts';
import { createJobWaits } from './wait-for-job.ts';

function world(options: { maxWaiters?: number } = {}) {
  const events = createEvents((_name, error) => {
    throw error;
  });
  const unfinished = new Set<JobId>();
  const closing = new AbortController();
  const waits = createJobWaits(
    { events, isUnfinished: (id) => unfinished.has(id), closing: closing.signal },
    options,
  );
  return {
    waits,
    closing,
    start() {
      const job = newJob();
      unfinished.add(job.id);
      return job;
    },
    end(job: ReturnType<typeof newJob>) {
      unfinished.delete(job.id);
      events.emit('job:finished', { job });
    },
  };
}

const never = new AbortController().signal;

test('it ends when all of the jobs have ended, in whatever order', async () => {
  const w = world();
  const [a, b] = [w.start(), w.start()];
  const outcomes: string[] = [];
  const waiting = w.waits
    .wait([a.id, b.id], { ms: 60_000, signal: never })
    ?.then((outcome) => outcomes.push(outcome));
  w.end(b);
  await Promise.resolve();
  expect(outcomes).toEqual([]);
  w.end(a);
  await waiting;
  expect(outcomes).toEqual(['ended']);
});

test('jobs that have ended already are not waited for', async () => {
  const w = world();
  expect(await w.waits.wait([newJob().id], { ms: 60_000, signal: never })).toBe('ended');
  expect(await w.waits.wait([], { ms: 60_000, signal: never })).toBe('ended');
});

test('it ends when the time is out, when the caller leaves, and when the bridge stops', async () => {
  const w = world();
  const { id } = w.start();
  expect(await w.waits.wait([id], { ms: 1, signal: never })).toBe('time-out');
  const left = new AbortController();
  const leaving = w.waits.wait([id], { ms: 60_000, signal: left.signal });
  left.abort();
  expect(await leaving).toBe('left');
  expect(await w.waits.wait([id], { ms: 60_000, signal: left.signal })).toBe('left');
  const stopping = w.waits.wait([id], { ms: 60_000, signal: never });
  w.closing.abort();
  expect(await stopping).toBe('stopped');
  expect(await w.waits.wait([id], { ms: 60_000, signal: never })).toBe('stopped');
});

test('when too many wait, another does not; as soon as one is done, it does', async () => {
  const w = world({ maxWaiters: 2 });
  const job = w.start();
  const options = { ms: 60_000, signal: never };
  const left = new AbortController();
  const [one, two] = [
    w.waits.wait([job.id], options),
    w.waits.wait([job.id], { ...options, signal: left.signal }),
  ];
  expect(w.waits.wait([job.id], options)).toBeUndefined();
  left.abort();
  await two;
  const three = w.waits.wait([job.id], options);
  w.end(job);
  expect(await Promise.all([one, three])).toEqual(['ended', 'ended']);
});
