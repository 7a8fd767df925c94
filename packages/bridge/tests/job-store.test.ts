import { expect, test } from 'vitest';

import { mustSurvivePowerCut } from '../src/jobs/job-store.ts';
import { createMemoryJobStore } from '../src/jobs/memory-job-store.ts';
import { openSqliteJobStore } from '../src/jobs/sqlite/job-store.ts';
import { newJob } from './_new-job.ts';
import { describeJobList } from './job-list.suite.ts';
import { describeJobStore } from './job-store.suite.ts';

describeJobStore('in memory', async () => createMemoryJobStore());
describeJobStore('SQLite', () => openSqliteJobStore(':memory:'));
describeJobList('in memory', async () => createMemoryJobStore());
describeJobList('SQLite', () => openSqliteJobStore(':memory:'));

test('what a caller is told for good survives a power cut; steps that a restart repeats need not', () => {
  const queued = newJob();
  const running = newJob({ state: { status: 'running', phase: 'executing', backend: 'b', promptId: 'p' } });
  const succeeded = newJob({ state: { status: 'succeeded', results: [] } });
  const delivered = newJob({ state: { status: 'succeeded', results: [] }, deliveredAt: 5 });
  const expired = newJob({ state: { status: 'expired' }, deliveredAt: 5 });
  expect(mustSurvivePowerCut(running, succeeded)).toBe(true);
  expect(mustSurvivePowerCut(queued, newJob({ state: { status: 'canceled', reason: 'x' } }))).toBe(true);
  expect(mustSurvivePowerCut(succeeded, delivered)).toBe(true);
  expect(mustSurvivePowerCut(queued, running)).toBe(false);
  expect(mustSurvivePowerCut(running, queued)).toBe(false);
  expect(mustSurvivePowerCut(delivered, expired)).toBe(false);
});
