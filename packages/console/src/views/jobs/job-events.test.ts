import { expect, test } from 'vitest';

import { aJob, anAttempt, at } from './_a-job.ts';
import { eventsBetween, eventsOf } from './job-events.ts';

test('the record of a job tells what happened to it, in order', () => {
  const attempts = [
    anAttempt({ executing_at: at(2), ended_at: at(5), outcome: 'lost' }),
    anAttempt({
      number: 2,
      backend: 'b',
      started_at: at(6),
      executing_at: at(7),
      ended_at: at(9),
      outcome: 'succeeded',
    }),
  ];
  const job = aJob({
    status: 'succeeded',
    finished: true,
    completed_at: at(9),
    delivered_at: at(20),
    attempts,
  });
  expect(eventsOf(job).map(({ at: time, key }) => [time, key])).toEqual([
    [at(0), 'event-came'],
    [at(1), 'event-assigned'],
    [at(2), 'event-executing'],
    [at(5), 'event-attempt-lost'],
    [at(6), 'event-assigned'],
    [at(7), 'event-executing'],
    [at(9), 'event-attempt-succeeded'],
    [at(9), 'event-succeeded'],
    [at(20), 'event-delivered'],
  ]);
});

test('a failure is told with its reason', () => {
  const job = aJob({
    ...{ status: 'failed', finished: true, completed_at: at(3) },
    error: { code: 'out_of_memory', message: 'too large' },
  });
  expect(eventsOf(job).at(-1)).toEqual({
    at: at(3),
    key: 'event-failed',
    values: { count: 0, reason: 'too large' },
  });
});

test('what only shows as it happens is told once', () => {
  const progress = {
    value: 0,
    nodes_done: 0,
    nodes_total: 2,
    current_node: '3',
    current_node_class: 'KSampler',
  };
  const before = aJob({ status: 'running', phase: 'executing' });
  const after = { ...before, progress, priority: 2, phase: 'collecting' as const };
  expect(eventsBetween(before, after, at(4)).map(({ key }) => key)).toEqual([
    'event-node',
    'event-collecting',
    'event-priority',
  ]);
  expect(eventsBetween(after, after, at(5))).toEqual([]);
});
