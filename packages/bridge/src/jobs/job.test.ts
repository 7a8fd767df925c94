import { describe, expect, test } from 'vitest';

import { newJob } from '../../tests/_new-job.ts';
import { countTries, isTerminal, transition } from './job.ts';
import type { Job, JobChange, JobState } from './job.ts';

const at = 5_000;

function jobIn(state: JobState, fields: Partial<Job> = {}): Job {
  return newJob({
    state,
    attempt: 2,
    revision: 7,
    excluded: ['a'],
    startedAt: 2_000,
    finishedAt: isTerminal(state.status) ? 3_000 : null,
    ...fields,
  });
}

const states = {
  queued: { status: 'queued' },
  running: { status: 'running', phase: 'executing', backend: 'b', promptId: 'p' },
  canceling: { status: 'canceling', backend: 'b', promptId: 'p' },
  succeeded: { status: 'succeeded', results: [] },
  failed: { status: 'failed', error: { code: 'internal', message: 'broken' } },
  canceled: { status: 'canceled', reason: 'asked' },
  expired: { status: 'expired' },
} satisfies Record<JobState['status'], JobState>;

const error = { code: 'backend_lost', message: 'lost' } as const;

const changes = {
  assigned: { type: 'assigned', backend: 'c', promptId: 'q', at },
  phase: { type: 'phase', attempt: 2, phase: 'collecting', at },
  reattached: { type: 'reattached', attempt: 2 },
  succeeded: { type: 'succeeded', attempt: 2, results: [], at },
  hedged: { type: 'hedged', attempt: 2, backend: 'h', promptId: 'r' },
  failed: { type: 'failed', attempt: 2, error, at },
  requeued: { type: 'requeued', attempt: 2, exclude: ['b'], counts: true, at },
  'cancel-requested': { type: 'cancel-requested', reason: 'asked', at },
  canceled: { type: 'canceled', attempt: 2, reason: 'asked', at },
  reprioritized: { type: 'reprioritized', priority: 2 },
  delivered: { type: 'delivered', at },
  expired: { type: 'expired', at },
} satisfies Record<JobChange['type'], JobChange>;

/** Every state and every change: the state that follows, or null where the change comes too late or too early. */
const table: Record<JobState['status'], Record<JobChange['type'], JobState['status'] | null>> = {
  queued: {
    assigned: 'running',
    phase: null,
    reattached: null,
    succeeded: null,
    hedged: null,
    failed: 'failed',
    requeued: null,
    'cancel-requested': 'canceled',
    canceled: null,
    reprioritized: 'queued',
    delivered: null,
    expired: null,
  },
  running: {
    assigned: null,
    phase: 'running',
    reattached: 'running',
    succeeded: 'succeeded',
    hedged: 'running',
    failed: 'failed',
    requeued: 'queued',
    'cancel-requested': 'canceling',
    canceled: 'canceled',
    reprioritized: 'running',
    delivered: null,
    expired: null,
  },
  canceling: {
    assigned: null,
    phase: null,
    reattached: null,
    succeeded: 'succeeded',
    hedged: null,
    failed: 'failed',
    requeued: null,
    'cancel-requested': null,
    canceled: 'canceled',
    reprioritized: 'canceling',
    delivered: null,
    expired: null,
  },
  succeeded: { ...nothing(), delivered: 'succeeded', expired: 'expired' },
  failed: { ...nothing(), expired: 'expired' },
  canceled: { ...nothing(), expired: 'expired' },
  expired: nothing(),
};

function nothing(): Record<JobChange['type'], null> {
  return {
    assigned: null,
    phase: null,
    reattached: null,
    succeeded: null,
    hedged: null,
    failed: null,
    requeued: null,
    'cancel-requested': null,
    canceled: null,
    reprioritized: null,
    delivered: null,
    expired: null,
  };
}

describe('every state meets every change', () => {
  for (const [from, row] of Object.entries(table)) {
    for (const [type, to] of Object.entries(row)) {
      test(`${from} + ${type} → ${to ?? 'refused'}`, () => {
        const job = jobIn(states[from as JobState['status']]);
        const before = structuredClone(job);
        const result = transition(job, changes[type as JobChange['type']]);
        if (to === null) expect(result).toEqual({ ok: false, reason: 'not-now' });
        else expect(result).toMatchObject({ ok: true, job: { id: job.id, state: { status: to } } });
        expect(job, 'the old job is left as it was').toEqual(before);
      });
    }
  }
});

describe('the fencing token', () => {
  for (const type of [
    'phase',
    'reattached',
    'succeeded',
    'hedged',
    'failed',
    'requeued',
    'canceled',
  ] as const) {
    for (const attempt of [1, 3]) {
      test(`${type} of attempt ${attempt} is refused while attempt 2 runs`, () => {
        const change = { ...changes[type], attempt };
        expect(transition(jobIn(states.running), change)).toEqual({ ok: false, reason: 'stale-attempt' });
      });
    }
  }
});

function next(job: Job, change: JobChange): Job {
  const result = transition(job, change);
  if (!result.ok) throw new Error(result.reason);
  return result.job;
}

test('an assignment counts the attempt and starts in staging', () => {
  const job = next(jobIn(states.queued, { attempt: 0, startedAt: null }), changes.assigned);
  expect(job).toMatchObject({
    attempt: 1,
    startedAt: at,
    state: { status: 'running', phase: 'staging', backend: 'c', promptId: 'q' },
  });
});

test('a lost attempt keeps its number, excludes its backend once and forgets when it started', () => {
  const job = next(jobIn(states.running), changes.requeued);
  expect(job).toMatchObject({ attempt: 2, excluded: ['a', 'b'], startedAt: null, finishedAt: null });
  const again = next(next(job, changes.assigned), {
    type: 'requeued',
    attempt: 3,
    exclude: ['b'],
    counts: true,
    at,
  });
  expect(again.excluded).toEqual(['a', 'b']);
});

test('a requeue without blame excludes nobody', () => {
  expect(next(jobIn(states.running), { ...changes.requeued, exclude: [] }).excluded).toEqual(['a']);
});

test('a phase changes the phase alone', () => {
  expect(next(jobIn(states.running), changes.phase).state).toEqual({
    ...states.running,
    phase: 'collecting',
  });
});

test('a cancel remembers where the prompt runs', () => {
  expect(next(jobIn(states.running), changes['cancel-requested']).state).toEqual(states.canceling);
});

test('every end notes when it was, and what of it is told later', () => {
  expect(next(jobIn(states.running), changes.succeeded)).toMatchObject({ finishedAt: at, deliveredAt: null });
  expect(next(jobIn(states.running), changes.failed)).toMatchObject({ finishedAt: at, state: { error } });
  expect(next(jobIn(states.canceling), changes.canceled)).toMatchObject({
    finishedAt: at,
    state: { reason: 'asked' },
  });
  expect(next(jobIn(states.queued), changes['cancel-requested'])).toMatchObject({ finishedAt: at });
  expect(next(jobIn(states.succeeded), changes.delivered)).toMatchObject({
    deliveredAt: at,
    finishedAt: 3_000,
  });
  expect(next(jobIn(states.succeeded), changes.expired)).toMatchObject({ finishedAt: 3_000 });
});

test('the terminal states are these four', () => {
  const terminal = Object.keys(states).filter((status) => isTerminal(status as JobState['status']));
  expect(terminal).toEqual(['succeeded', 'failed', 'canceled', 'expired']);
});

test('every change counts', () => {
  const job = next(next(jobIn(states.queued), changes.assigned), { ...changes.phase, attempt: 3 });
  expect(job.revision).toBe(9);
});

test('each attempt is remembered: where, when, and how it ended; one that never ran is no try', () => {
  let job = next(jobIn(states.queued, { attempt: 0 }), { ...changes.assigned, at: 10 });
  job = next(job, { type: 'requeued', attempt: 1, exclude: [], counts: false, at: 20 });
  job = next(job, { ...changes.assigned, backend: 'd', at: 30 });
  job = next(job, { type: 'phase', attempt: 2, phase: 'executing', at: 40 });
  job = next(job, { type: 'phase', attempt: 2, phase: 'collecting', at: 50 });
  job = next(job, { type: 'requeued', attempt: 2, exclude: ['d'], counts: true, at: 60 });
  job = next(job, { ...changes.assigned, at: 70 });
  job = next(job, { type: 'succeeded', attempt: 3, results: [], at: 80 });
  expect(job.attempts).toEqual([
    { backend: 'c', promptId: 'q', startedAt: 10, executingAt: null, endedAt: 20, outcome: 'moved' },
    { backend: 'd', promptId: 'q', startedAt: 30, executingAt: 40, endedAt: 60, outcome: 'lost' },
    { backend: 'c', promptId: 'q', startedAt: 70, executingAt: null, endedAt: 80, outcome: 'succeeded' },
  ]);
  expect(countTries(job)).toBe(2);
});

test('a second run that is first counts as an attempt of its own, and ends with the first', () => {
  const assigned = next(jobIn(states.queued, { attempt: 0, attempts: [] }), changes.assigned);
  const hedged = next(assigned, { ...changes.hedged, attempt: 1 });
  expect(hedged.hedge).toEqual({ backend: 'h', promptId: 'r' });
  const done = next(hedged, { ...changes.succeeded, attempt: 1, byHedge: true });
  expect(done).toMatchObject({
    attempt: 2,
    hedge: null,
    attempts: [
      { backend: 'c', promptId: 'q', outcome: 'moved' },
      { backend: 'h', promptId: 'r', outcome: 'succeeded' },
    ],
  });
  expect(next(hedged, { ...changes.succeeded, attempt: 1 })).toMatchObject({
    attempt: 1,
    hedge: null,
    attempts: [{ backend: 'c', outcome: 'succeeded' }],
  });
  expect(next(hedged, { ...changes.requeued, attempt: 1 }).hedge).toBeNull();
});

test('of a job that is moved without end, the oldest moves are forgotten and the tries are not', () => {
  let job = jobIn(states.queued, { attempt: 0 });
  job = next(job, { type: 'assigned', backend: 'first', promptId: 'p', at: 1 });
  job = next(job, { type: 'requeued', attempt: 1, exclude: [], counts: true, at: 2 });
  for (let attempt = 2; attempt <= 150; attempt += 1) {
    job = next(job, { type: 'assigned', backend: 'b', promptId: `p${attempt}`, at: attempt });
    job = next(job, { type: 'requeued', attempt, exclude: [], counts: false, at: attempt });
  }
  expect(job.attempts).toHaveLength(100);
  expect(job.attempts.at(-1)?.promptId).toBe('p150');
  expect(job.attempts[0]?.backend).toBe('first');
  expect(countTries(job)).toBe(1);
});
