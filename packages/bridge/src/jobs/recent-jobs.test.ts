import { expect, test } from 'vitest';

import { newJob } from '../../tests/_new-job.ts';
import { createRecentJobs } from './recent-jobs.ts';

test('keeps the jobs added last, up to its limit', () => {
  const recent = createRecentJobs(2);
  const jobs = ['a', 'b', 'c'].map((clientId) => newJob({ clientId }));
  jobs.forEach(recent.add);
  expect(jobs.map(({ id }) => recent.get(id))).toEqual([undefined, ...jobs.slice(1)]);
  expect(['a', 'b', 'c'].map(recent.latestOf)).toEqual([undefined, ...jobs.slice(1)]);
});

test('a client has the job added last, and none rather than an older one', () => {
  const recent = createRecentJobs(10);
  const [older, newer] = [newJob({ clientId: 'a' }), newJob({ clientId: 'a' })];
  recent.add(older);
  recent.add(newer);
  expect(recent.latestOf('a')).toBe(newer);
  recent.remove(newer.id);
  expect(recent.latestOf('a')).toBeUndefined();
  expect(recent.get(older.id)).toBe(older);
});

test('removing an older job leaves the newer one, and jobs without a client are found by id', () => {
  const recent = createRecentJobs(10);
  const [older, newer, nobodys] = [
    newJob({ clientId: 'a' }),
    newJob({ clientId: 'a' }),
    newJob({ clientId: null }),
  ];
  for (const job of [older, newer, nobodys]) recent.add(job);
  recent.remove(older.id);
  expect(recent.latestOf('a')).toBe(newer);
  expect(recent.get(nobodys.id)).toBe(nobodys);
});

test('a job is found by its results while it is kept', () => {
  const recent = createRecentJobs(10);
  const result = { index: 0, nodeId: '9', fileName: 'a.png', contentType: 'image/png', size: 1 };
  const results = [{ ...result, id: 'one', type: 'image' as const }];
  const job = newJob({ state: { status: 'succeeded', results } });
  recent.add(job);
  recent.add(newJob());
  expect(recent.findByResult('one')).toBe(job);
  expect(recent.findByResult('two')).toBeUndefined();
  recent.remove(job.id);
  expect(recent.findByResult('one')).toBeUndefined();
});
