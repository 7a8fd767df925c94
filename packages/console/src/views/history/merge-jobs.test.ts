import type { BridgeJob } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { appendPage, mergeJob } from './merge-jobs.ts';

const all = { status: '', workflow: '' } as const;

function job(id: string, minute: number, more: Partial<BridgeJob> = {}): BridgeJob {
  const createdAt = new Date(Date.UTC(2026, 0, 1, 12, minute)).toISOString();
  // Of a job, the list looks at these alone.
  return { id, created_at: createdAt, status: 'queued', workflow: 'upscale', ...more } as BridgeJob;
}

const ids = (jobs: readonly BridgeJob[]) => jobs.map(({ id }) => id);

test('a job that is known changes in its place', () => {
  const list = [job('b', 2), job('a', 1)];
  const merged = mergeJob(list, job('a', 1, { status: 'running' }), all);
  expect(ids(merged)).toEqual(['b', 'a']);
  expect(merged[1]?.status).toBe('running');
});

test('a new job comes first', () => {
  expect(ids(mergeJob([job('b', 2), job('a', 1)], job('c', 3), all))).toEqual(['c', 'b', 'a']);
});

test('a job of before all that is shown waits for its page', () => {
  expect(ids(mergeJob([job('b', 2)], job('a', 1), all))).toEqual(['b']);
});

test('a job that no longer matches the filter leaves the list', () => {
  const running = { status: 'running', workflow: '' } as const;
  const list = [job('a', 1, { status: 'running' })];
  expect(mergeJob(list, job('a', 1, { status: 'succeeded' }), running)).toEqual([]);
  expect(ids(mergeJob(list, job('b', 2), running))).toEqual(['a']);
});

test('a page behind another repeats nothing', () => {
  expect(ids(appendPage([job('c', 3), job('b', 2)], [job('b', 2), job('a', 1)]))).toEqual(['c', 'b', 'a']);
});
