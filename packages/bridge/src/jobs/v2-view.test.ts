import type { Progress } from '@comfy-bridge/protocol';
import { v2JobSchema } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { newJob } from '../../tests/_new-job.ts';
import { transition } from './job.ts';
import type { Job, JobChange, JobResult } from './job.ts';
import { publicStatus, toBridgeJob, toV2Job } from './v2-view.ts';

const result: JobResult = {
  id: 'b58b0fd5-6e8e-4b5c-8a3f-6f3f3d2c1b9a',
  index: 0,
  nodeId: '9',
  fileName: 'a.png',
  contentType: 'image/png',
  type: 'image',
  size: 3,
  hash: 'blake3:ab',
};
const progress: Progress = {
  value: 0.42,
  nodes_done: 3,
  nodes_total: 7,
  current_node: '3',
  current_node_class: 'KSampler',
  step: 21,
  steps: 50,
};
const context = {
  progress: undefined,
  outputs: [],
  queuePosition: undefined,
  origin: 'https://host',
  basePath: '/comfy',
  resultTtlMs: 1_000,
};

function after(...changes: JobChange[]): Job {
  return changes.reduce(
    (job, change) => {
      const next = transition(job, change);
      if (!next.ok) throw new Error(`${change.type}: ${next.reason}`);
      return next.job;
    },
    newJob({ createdAt: 0 }),
  );
}

const assigned: JobChange = { type: 'assigned', backend: 'b', promptId: 'p', at: 100 };
const executing: JobChange = { type: 'phase', attempt: 1, phase: 'executing', at: 400 };
const failed: JobChange = {
  type: 'failed',
  attempt: 1,
  error: { code: 'node_execution_error', message: 'no', node_id: '3', class_type: 'KSampler' },
  at: 900,
};
const succeeded: JobChange = { type: 'succeeded', attempt: 1, results: [result], at: 900 };
const lives: Record<string, Job> = {
  queued: after(),
  placed: after(assigned),
  running: after(assigned, executing),
  canceling: after(assigned, executing, { type: 'cancel-requested', reason: 'x', at: 500 }),
  requeued: after(assigned, executing, {
    type: 'requeued',
    attempt: 1,
    exclude: ['b'],
    counts: true,
    at: 500,
  }),
  succeeded: after(assigned, executing, succeeded),
  delivered: after(assigned, executing, succeeded, { type: 'delivered', at: 950 }),
  failed: after(assigned, executing, failed),
  canceled: after({ type: 'cancel-requested', reason: 'x', at: 500 }),
  expired: after(assigned, executing, succeeded, { type: 'expired', at: 5_000 }),
};

test.each(Object.entries(lives))('a job that is %s is shown as the contract says', (_name, job) => {
  for (const told of [undefined, progress]) {
    const shown = toV2Job(job, { ...context, progress: told, queuePosition: 2 });
    expect(v2JobSchema.parse(shown)).toEqual(shown);
  }
});

test('what waits on a backend for its turn is still queued to its owner', () => {
  expect(publicStatus(after(assigned))).toBe('queued');
  expect(toV2Job(after(assigned), context)).toMatchObject({ queue_position: 0, started_at: null });
  expect(toV2Job(after(), { ...context, queuePosition: 4 })).toMatchObject({ queue_position: 4 });
  expect(toV2Job(after(assigned, executing), { ...context, queuePosition: 4 })).toMatchObject({
    status: 'running',
    queue_position: null,
    started_at: '1970-01-01T00:00:00.400Z',
  });
});

test('progress is the snapshot with words to it, and whole only when all is done', () => {
  const running = toV2Job(after(assigned, executing), { ...context, progress });
  expect(running.progress).toEqual({ ...progress, message: 'KSampler 21/50' });
  const done = toV2Job(after(assigned, executing, succeeded), { ...context, progress });
  expect(done.progress?.value).toBe(1);
  const between = { ...progress, current_node_class: null };
  expect(toV2Job(after(assigned, executing), { ...context, progress: between }).progress?.message).toBeNull();
  const whole = { ...progress, step: null, steps: null };
  expect(toV2Job(after(assigned, executing), { ...context, progress: whole }).progress?.message).toBe(
    'KSampler',
  );
});

test('links of a job hold the path that the bridge is served under; those of results the origin as well', () => {
  const job = after(assigned, executing, succeeded);
  const shown = toV2Job(job, context);
  expect(shown.urls).toEqual({
    self: `/comfy/api/v2/jobs/${job.id}`,
    events: `/comfy/api/v2/jobs/${job.id}/events`,
    cancel: `/comfy/api/v2/jobs/${job.id}/cancel`,
  });
  expect(shown.outputs[0]?.url).toBe(`https://host/comfy/api/v2/assets/${shown.outputs[0]?.id}/content`);
  expect(shown.outputs[0]?.url_expires_at).toBe(shown.expires_at);
});

test('delivered results are gone, and are not offered', () => {
  expect(
    toV2Job(after(assigned, executing, succeeded, { type: 'delivered', at: 950 }), context),
  ).toMatchObject({
    status: 'succeeded',
    outputs: [],
  });
});

test('the times of a job, and what they mean', () => {
  expect(toV2Job(after(assigned, executing, succeeded), context)).toMatchObject({
    created_at: '1970-01-01T00:00:00.000Z',
    completed_at: '1970-01-01T00:00:00.900Z',
    expires_at: '1970-01-01T00:00:01.900Z',
    metrics: { queue_ms: 400, execution_ms: 500 },
  });
});

test('our own view adds the attempts by the names of their backends, and where the time went', () => {
  const job = after(
    assigned,
    executing,
    { type: 'requeued', attempt: 1, exclude: ['b'], counts: true, at: 500 },
    { type: 'assigned', backend: 'c', promptId: 'q', at: 600 },
    { type: 'phase', attempt: 2, phase: 'executing', at: 700 },
    { ...succeeded, attempt: 2 },
    { type: 'delivered', at: 1_000 },
  );
  const shown = toBridgeJob(job, {
    ...context,
    eta: { finishAt: 2_000, earliestAt: 1_500, latestAt: 3_000, basis: 'measured' },
    waitsBecause: null,
    inputsSummary: null,
  });
  expect(shown).toMatchObject({
    priority: 0,
    eta: {
      at: '1970-01-01T00:00:02.000Z',
      earliest: '1970-01-01T00:00:01.500Z',
      latest: '1970-01-01T00:00:03.000Z',
      basis: 'measured',
    },
    attempts: [
      { number: 1, backend: 'b', outcome: 'lost', ended_at: '1970-01-01T00:00:00.500Z' },
      { number: 2, backend: 'c', outcome: 'succeeded' },
    ],
    timings: { queue_ms: 700, run_ms: 200, delivery_ms: 100 },
    finished: true,
  });
  expect(JSON.stringify(shown)).not.toMatch(/promptId|prompt_id|"p"|"q"/);
});
