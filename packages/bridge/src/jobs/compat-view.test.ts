import { expect, test } from 'vitest';

import { newJob } from '../../tests/_new-job.ts';
import { compatFrame, describeJob, formatPercent } from './compat-view.ts';
import type { Job, JobState } from './job.ts';

function jobIn(state: JobState): Job {
  return newJob({ state });
}

function progress(value: number) {
  return {
    value,
    nodes_done: 1,
    nodes_total: 7,
    current_node: '3',
    current_node_class: 'KSampler',
    step: 1,
    steps: 20,
  };
}

const running = { status: 'running', phase: 'executing', backend: 'b', promptId: 'p' } as const;

test('both keys of a frame hold the same text, and nothing else is there', () => {
  expect(compatFrame('closed', 'Execution is done')).toEqual({
    status: 'closed',
    details: 'Execution is done',
    detail: 'Execution is done',
  });
});

test.each([
  [0, '0.00%'],
  [0.1262, '12.62%'],
  [0.5, '50.00%'],
  [0.12629, '12.62%'],
  [0.99999, '99.99%'],
  [1, '100.00%'],
  [1.5, '100.00%'],
  [-1, '0.00%'],
])('%s is told as %s', (value, text) => {
  expect(formatPercent(value)).toBe(text);
});

test('a fraction of hundredths is not rounded to the one below it', () => {
  for (let hundredths = 0; hundredths <= 10_000; hundredths += 1) {
    expect(formatPercent(hundredths / 10_000)).toBe(`${(hundredths / 100).toFixed(2)}%`);
  }
});

test('a running job never says 100 %: its results are not there yet', () => {
  expect(describeJob(jobIn(running), progress(1)).detail).toBe('99.99%');
  expect(describeJob(jobIn({ ...running, phase: 'collecting' }), progress(1)).detail).toBe('99.99%');
});

test.each<[string, JobState, number | undefined, string, string]>([
  ['a queued job', { status: 'queued' }, undefined, 'connected', 'server connected'],
  ['a staged job', { ...running, phase: 'staging' }, undefined, 'connected', 'server connected'],
  ['a job that just started', running, undefined, 'progress', '0.00%'],
  ['a running job', running, 0.1262, 'progress', '12.62%'],
  [
    'a job that is being interrupted',
    { status: 'canceling', backend: 'b', promptId: 'p' },
    0.5,
    'error',
    'the job was interrupted',
  ],
  ['an interrupted job', { status: 'canceled', reason: 'x' }, undefined, 'error', 'the job was interrupted'],
  ['a finished job', { status: 'succeeded', results: [] }, undefined, 'closed', 'Execution is done'],
  [
    'a failed job',
    { status: 'failed', error: { code: 'timed_out', message: 'time out error: exceed 60s' } },
    undefined,
    'error',
    'time out error: exceed 60s',
  ],
  ['an expired job', { status: 'expired' }, undefined, 'error', 'the results of this job have expired'],
])('%s', (_what, state, value, status, detail) => {
  const frame = describeJob(jobIn(state), value === undefined ? undefined : progress(value));
  expect(frame).toEqual({ status, details: detail, detail });
});
