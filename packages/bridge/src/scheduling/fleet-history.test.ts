import { expect, test } from 'vitest';

import { newJob } from '../../tests/_new-job.ts';
import { createFleet } from '../backends/fleet.ts';
import type { ComfyClient } from '../comfy/comfy-client.ts';
import { createEvents } from '../events.ts';
import type { AttemptRecord, Job } from '../jobs/job.ts';
import { createFleetHistory } from './fleet-history.ts';

const hour = 60 * 60_000;
const start = 1_000 * 24 * hour;

function make() {
  const clock = { now: start };
  const events = createEvents((_name, error) => {
    throw error;
  });
  const fleet = createFleet(
    [{ name: 'a', endpoint: { url: 'http://127.0.0.1:1' } }],
    () => ({}) as ComfyClient,
  );
  const history = createFleetHistory({ fleet, events, now: () => clock.now });
  const [backend] = fleet.backends;
  if (backend === undefined) throw new Error('the fleet is empty');
  return { clock, events, backend, history, [Symbol.dispose]: () => history[Symbol.dispose]() };
}

function ranOn(backend: string, outcome: AttemptRecord['outcome'], endedAt: number): AttemptRecord {
  return { backend, promptId: 'p', startedAt: endedAt - 1, executingAt: null, endedAt, outcome };
}

const failed: Job['state'] = {
  status: 'failed',
  error: { code: 'node_execution_error', message: 'KSampler failed' },
};

test('runs are counted where they ended, by how they ended; canceled and moved ones are not', () => {
  using t = make();
  const end = (outcome: AttemptRecord['outcome'], name: 'job:finished' | 'job:queued' = 'job:finished') =>
    t.events.emit(name, { job: newJob({ attempts: [ranOn('a', outcome, start)] }) });
  end('succeeded');
  end('succeeded');
  end('failed');
  end('lost', 'job:queued');
  end('moved', 'job:queued');
  end('canceled');
  t.events.emit('job:queued', { job: newJob() });
  expect(t.history.endedRuns('a')).toEqual({ succeeded: 2, failed: 1, lost: 1, since: start });
  expect(t.history.endedRuns('b')).toMatchObject({ succeeded: 0 });
});

test('a day later they are not counted any more', () => {
  using t = make();
  t.events.emit('job:finished', { job: newJob({ attempts: [ranOn('a', 'succeeded', start)] }) });
  t.clock.now = start + 23 * hour;
  expect(t.history.endedRuns('a').succeeded).toBe(1);
  t.clock.now = start + 25 * hour;
  expect(t.history.endedRuns('a')).toMatchObject({ succeeded: 0, since: start + hour });
});

test('what an earlier process has seen is counted once', () => {
  using t = make();
  const before = newJob({ createdAt: start - hour, attempts: [ranOn('a', 'succeeded', start - 60_000)] });
  const since = newJob({ createdAt: start - 2 * hour, attempts: [ranOn('a', 'failed', start + 60_000)] });
  t.history.remember([before, since], { isAll: false });
  expect(t.history.endedRuns('a')).toEqual({ succeeded: 1, failed: 0, lost: 0, since: start - 2 * hour });
  t.history.remember([], { isAll: true });
  expect(t.history.endedRuns('a').since).toBe(start - 24 * hour);
});

test('the last ten errors are kept, the newest first, with why', () => {
  using t = make();
  const job = newJob({ attempts: [ranOn('a', 'lost', start)] });
  t.events.emit('attempt:lost', {
    job,
    backend: 'a',
    attempt: 1,
    kind: 'backend-lost',
    reason: 'the connection was cut',
  });
  t.events.emit('job:queued', { job });
  t.events.emit('job:finished', { job: newJob({ attempts: [ranOn('a', 'failed', start)], state: failed }) });
  t.events.emit('backend:lost', { backend: 'a', reason: 'x'.repeat(1_000) });
  const [newest, second, third] = t.history.lastErrors('a');
  expect(newest).toEqual({ at: start, reason: 'x'.repeat(300), jobId: null });
  expect(second?.reason).toBe('KSampler failed');
  expect(third).toEqual({ at: start, reason: 'the connection was cut', jobId: job.id });
  for (let n = 0; n < 20; n += 1) t.events.emit('backend:lost', { backend: 'a', reason: String(n) });
  expect(t.history.lastErrors('a').map(({ reason }) => reason)).toEqual([
    '19',
    '18',
    '17',
    '16',
    '15',
    '14',
    '13',
    '12',
    '11',
    '10',
  ]);
});

test('an hour of samples is kept of each machine, and nothing of one that has left', () => {
  using t = make();
  const { backend, history } = t;
  history.sample();
  expect(history.samples('a')).toEqual([
    { at: start, memoryUsedBytes: null, memoryTotalBytes: null, queue: 0, running: 0 },
  ]);
  backend.state = { status: 'ready', since: start };
  backend.memoryBytes = 24;
  backend.machine = { freeMemoryBytes: 10, gpu: '', pythonVersion: '', pytorchVersion: '' };
  backend.queueRemaining = 3;
  for (let n = 1; n <= 400; n += 1) {
    t.clock.now = start + n * history.sampleMs;
    history.sample();
  }
  expect(history.samples('a')).toHaveLength(360);
  expect(history.samples('a').at(-1)).toEqual({
    at: t.clock.now,
    memoryUsedBytes: 14,
    memoryTotalBytes: 24,
    queue: 3,
    running: 0,
  });
  t.events.emit('backend:removed', { backend: 'a' });
  expect(history.samples('a')).toEqual([]);
});
