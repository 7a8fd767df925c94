import { expect, test } from 'vitest';

import { newJob } from '../../../tests/_new-job.ts';
import type { AttemptRecord, Job } from '../../jobs/job.ts';
import { planJobSpans } from './job-spans.ts';
import type { SpanPlan } from './job-spans.ts';

const attempt = (fields: Partial<AttemptRecord>): AttemptRecord => ({
  backend: 'a',
  promptId: 'p',
  startedAt: 0,
  executingAt: null,
  endedAt: null,
  outcome: null,
  ...fields,
});

const endedJob = (fields: Partial<Job>) =>
  newJob({ createdAt: 100, finishedAt: 900, state: { status: 'succeeded', results: [] }, ...fields });

/** `name from–to`, each followed by what is in it. */
function draw({ name, start, end, children }: SpanPlan): unknown[] {
  return [`${name} ${start}–${end}`, ...children.map(draw)];
}

test('a job that ran once waited, was staged, executed and collected', () => {
  const attempts = [attempt({ startedAt: 200, executingAt: 300, endedAt: 900, outcome: 'succeeded' })];
  expect(draw(planJobSpans(endedJob({ attempt: 1, attempts }), new Map([[1, 700]])))).toEqual([
    'job 100–900',
    ['queued 100–200'],
    ['attempt 1 200–900', ['staging 200–300'], ['executing 300–700'], ['collecting 700–900']],
  ]);
});

test('a job that was lost waits again, and its attempts are numbered on', () => {
  const attempts = [
    attempt({ startedAt: 200, endedAt: 400, outcome: 'lost' }),
    attempt({ startedAt: 500, executingAt: 600, endedAt: 900, outcome: 'succeeded' }),
  ];
  const plan = planJobSpans(endedJob({ attempt: 2, attempts }), new Map());
  expect(draw(plan)).toEqual([
    'job 100–900',
    ['queued 100–200'],
    ['attempt 1 200–400', ['staging 200–400']],
    ['queued 400–500'],
    ['attempt 2 500–900', ['staging 500–600'], ['executing 600–900']],
  ]);
  expect(plan.children[1]?.error).toBe('lost');
});

test('a second run that won lies beside the first one, without a wait between', () => {
  const attempts = [
    attempt({ startedAt: 200, executingAt: 300, endedAt: 900, outcome: 'moved' }),
    attempt({ backend: 'b', startedAt: 200, executingAt: 300, endedAt: 900, outcome: 'succeeded' }),
  ];
  const { children } = planJobSpans(endedJob({ attempt: 2, attempts }), new Map());
  expect(children.map(({ name }) => name)).toEqual(['queued', 'attempt 1', 'attempt 2']);
});

test('a job that nobody ran has only waited', () => {
  const state = { status: 'canceled', reason: 'canceled' } as const;
  expect(draw(planJobSpans(endedJob({ state, attempt: 0, attempts: [] }), new Map()))).toEqual([
    'job 100–900',
    ['queued 100–900'],
  ]);
});
