import type { JobStatus } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { newJob } from '../../tests/_new-job.ts';
import { summarizeGroup } from './group-view.ts';
import type { Job, JobState } from './job.ts';

const states: Record<JobStatus, JobState> = {
  queued: { status: 'queued' },
  running: { status: 'running', phase: 'executing', backend: 'a', promptId: 'p' },
  canceling: { status: 'canceling', backend: 'a', promptId: 'p' },
  succeeded: { status: 'succeeded', results: [] },
  failed: { status: 'failed', error: { code: 'internal', message: 'x' } },
  canceled: { status: 'canceled', reason: 'x' },
  expired: { status: 'expired' },
};

const jobIn = (status: JobStatus | 'gone'): Job | undefined =>
  status === 'gone' ? undefined : newJob({ state: states[status] });

test.each<[(JobStatus | 'gone')[], string, number]>([
  [['queued', 'queued'], 'queued', 0],
  [['queued', 'running'], 'running', 0.25],
  [['queued', 'succeeded'], 'running', 0.5],
  [['canceling', 'failed'], 'running', 0.75],
  [['succeeded', 'succeeded'], 'succeeded', 1],
  [['succeeded', 'failed', 'canceled', 'expired'], 'failed', 1],
  [['succeeded', 'canceled', 'expired'], 'canceled', 1],
  [['succeeded', 'expired'], 'expired', 1],
  [['succeeded', 'gone'], 'expired', 1],
])('a group of %j is %s', (statuses, status, progress) => {
  const summary = summarizeGroup(statuses.map(jobIn), ({ state }) => (state.status === 'queued' ? 0 : 0.5));
  expect(summary).toMatchObject({ status, progress, total: statuses.length });
  expect(Object.values(summary.counts).reduce((all, count) => all + count)).toBe(statuses.length);
});

test('a job whose files are being brought to its machine waits still', () => {
  const staging = newJob({ state: { status: 'running', phase: 'staging', backend: 'a', promptId: 'p' } });
  expect(summarizeGroup([staging], () => 0)).toMatchObject({ status: 'queued', counts: { queued: 1 } });
});
