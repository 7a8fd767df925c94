import type { BridgeJob } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { isOver, noJobs, reduceMyJobs, sortJobs } from './my-jobs-reducer.ts';
import type { MyJobs, MyJobsAction } from './my-jobs-reducer.ts';

function job(id: string, given: Partial<BridgeJob> = {}): BridgeJob {
  return {
    id,
    status: 'running',
    created_at: `2026-01-01T00:00:0${id}.000Z`,
    started_at: null,
    completed_at: null,
    expires_at: '2026-01-02T00:00:00.000Z',
    queue_position: null,
    progress: null,
    outputs: [],
    error: null,
    urls: { self: '/', events: '/', cancel: '/' },
    workflow: 'upscale',
    client_id: null,
    priority: 0,
    eta: null,
    phase: null,
    waits_because: null,
    attempts: [],
    timings: { queue_ms: null, run_ms: null, delivery_ms: null },
    delivered_at: null,
    finished: false,
    inputs_summary: null,
    ...given,
  };
}

function after(...actions: MyJobsAction[]): MyJobs {
  return actions.reduce(reduceMyJobs, noJobs);
}

function statuses(state: MyJobs): Record<string, string> {
  return Object.fromEntries(sortJobs(state).map(({ job: { id, status } }) => [id, status]));
}

const progress = { value: 0.5, nodes_done: 1, nodes_total: 2 };

test('newest first', () => {
  const state = after({ kind: 'list', jobs: [job('1'), job('3'), job('2')] });
  expect(sortJobs(state).map(({ job: { id } }) => id)).toEqual(['3', '2', '1']);
});

test('what an event told while the list was read is newer than the list', () => {
  const state = after(
    { kind: 'reading' },
    { kind: 'job', job: job('1', { status: 'succeeded' }) },
    { kind: 'submitted', job: job('2', { status: 'queued' }), workflow: 'upscale' },
    { kind: 'list', jobs: [job('1', { status: 'running' })] },
  );
  expect(statuses(state)).toEqual({ 1: 'succeeded', 2: 'queued' });
});

test('the list of a new line is newer than what was known before it', () => {
  const state = after(
    { kind: 'job', job: job('1') },
    { kind: 'job', job: job('2') },
    { kind: 'reading' },
    { kind: 'list', jobs: [job('2', { status: 'failed' })] },
  );
  expect(statuses(state)).toEqual({ 2: 'failed' });
});

test('the answer of a submit does not write over an event that was faster', () => {
  const state = after(
    { kind: 'job', job: job('1', { status: 'running' }) },
    { kind: 'submitted', job: job('1', { status: 'queued' }), workflow: 'upscale' },
  );
  expect(statuses(state)).toEqual({ 1: 'running' });
});

test('progress, place and preview change a job until it is over', () => {
  const event = { id: '1', progress, eta: null };
  const picture = { id: '1', content_type: 'image/jpeg', data: 'AAAA', node: null };
  const running = after(
    { kind: 'list', jobs: [job('1')] },
    { kind: 'progress', event },
    { kind: 'preview', event: picture },
  );
  expect(running.jobs.get('1')).toMatchObject({ job: { progress }, preview: 'data:image/jpeg;base64,AAAA' });
  const place = { id: '1', queue_position: 3, eta: null, waits_because: 'paused' };
  expect(reduceMyJobs(running, { kind: 'queue', event: place }).jobs.get('1')?.job).toMatchObject(place);

  const over = reduceMyJobs(running, { kind: 'job', job: job('1', { status: 'succeeded' }) });
  expect(over.jobs.get('1')?.preview).toBeUndefined();
  expect(reduceMyJobs(over, { kind: 'progress', event })).toBe(over);
  expect(reduceMyJobs(over, { kind: 'preview', event: picture })).toBe(over);
});

test('a preview that is no picture is left out, and so are events of other jobs', () => {
  const state = after({ kind: 'list', jobs: [job('1')] });
  const odd = { id: '1', content_type: 'image/svg+xml', data: 'AAAA', node: null };
  expect(reduceMyJobs(state, { kind: 'preview', event: odd })).toBe(state);
  expect(reduceMyJobs(state, { kind: 'progress', event: { id: '9', progress, eta: null } })).toBe(state);
});

test('a job that was forgotten is gone', () => {
  expect(statuses(after({ kind: 'list', jobs: [job('1')] }, { kind: 'gone', id: '1' }))).toEqual({});
});

test('there are never more than two hundred, and the oldest go', () => {
  let state = noJobs;
  for (let n = 0; n < 205; n += 1) {
    const created = new Date(Date.UTC(2026, 0, 1) + n * 1000).toISOString();
    state = reduceMyJobs(state, { kind: 'job', job: job(`n${n}`, { created_at: created }) });
  }
  expect(state.jobs.size).toBe(200);
  expect(state.jobs.has('n4')).toBe(false);
  expect(state.jobs.has('n204')).toBe(true);
});

test('a job is over in every state that it does not leave', () => {
  const over = (
    ['queued', 'running', 'canceling', 'succeeded', 'failed', 'canceled', 'expired'] as const
  ).filter((status) => isOver({ status }));
  expect(over).toEqual(['succeeded', 'failed', 'canceled', 'expired']);
});
