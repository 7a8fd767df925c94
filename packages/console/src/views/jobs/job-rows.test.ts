import { expect, test } from 'vitest';

import { aJob, at } from './_a-job.ts';
import { changeJob, changeRows, isNewer } from './job-rows.ts';
import type { Row, RowEvent } from './job-rows.ts';

const rows: readonly Row[] = ['new', 'old'].map((id, index) => ({
  job: aJob({ id, created_at: at(10 - index) }),
  isGone: false,
}));
const progress = {
  ...{ value: 0.5, nodes_done: 1, nodes_total: 2, current_node: '3', current_node_class: 'KSampler' },
  ...{ step: 1, steps: 2, message: null },
};

test('an event changes its row alone; one of another job changes nothing', () => {
  const changed = changeRows(rows, { kind: 'job', job: aJob({ id: 'old', status: 'failed' }) });
  expect(changed.map(({ job }) => job.status)).toEqual(['queued', 'failed']);
  expect(changed[0]).toBe(rows[0]);
  expect(changeRows(rows, { kind: 'gone', id: 'else' })).toBe(rows);
});

test('a job that was forgotten is marked, and stays where it is', () => {
  expect(changeRows(rows, { kind: 'gone', id: 'new' }).map(({ isGone }) => isGone)).toEqual([true, false]);
});

test('progress that comes after the end says nothing', () => {
  const event: RowEvent = { kind: 'progress', id: 'job', progress, eta: null };
  expect(changeJob(aJob({ status: 'running' }), event).progress?.value).toBe(0.5);
  expect(changeJob(aJob({ status: 'failed', finished: true }), event).progress).toBeNull();
});

test('a place in the line is told of a job that waits, and of no other', () => {
  const event: RowEvent = { kind: 'queue', id: 'job', queue_position: 4, eta: null, waits_because: 'paused' };
  expect(changeJob(aJob(), event)).toMatchObject({ queue_position: 4, waits_because: 'paused' });
  expect(changeJob(aJob({ status: 'running', queue_position: null }), event).queue_position).toBeNull();
});

test('a job that came later than the last of a full page is new to it; on a page with room any is', () => {
  expect(isNewer(aJob({ id: 'x', created_at: at(9.5) }), rows, 2)).toBe(true);
  expect(isNewer(aJob({ id: 'x', created_at: at(8) }), rows, 2)).toBe(false);
  expect(isNewer(aJob({ id: 'x', created_at: at(8) }), rows, 3)).toBe(true);
  expect(isNewer(aJob({ id: 'x' }), [], 2)).toBe(true);
});
