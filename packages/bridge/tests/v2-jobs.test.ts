import type { V2Job } from '@comfy-bridge/protocol';
import { v2ErrorSchema, v2JobSchema } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { ended, expectNoSecrets, parseBody, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';
import { startWorld } from './_world.ts';

/** An answer that must be a job as the contract says, without a field beyond it. */
async function readJob(answer: Response | Promise<Response>): Promise<V2Job> {
  const { status, headers } = await answer;
  expect(status).toBe(200);
  expect(headers.get('content-type')).toMatch(/^application\/json/);
  return v2JobSchema.parse(await parseBody(answer));
}

const jobOf = (t: TestBridge, jobId: string) => readJob(t.get(`/api/v2/jobs/${jobId}`));
const cancel = (t: TestBridge, jobId: string) => readJob(t.post(`/api/v2/jobs/${jobId}/cancel`));

test('the life of a job: queued, running with progress, succeeded with outputs', async () => {
  await using t = await startBridge({ env: { BACKEND_SLOTS: '1' } });
  await submit(t, 'ahead');
  const ahead = await t.sim.nextPrompt();
  await submit(t, 'first');
  const { jobId } = await submit(t, 'one');
  expect(await jobOf(t, jobId)).toMatchObject({
    id: jobId,
    status: 'queued',
    queue_position: 1,
    started_at: null,
    completed_at: null,
    progress: null,
    outputs: [],
    error: null,
    metrics: { queue_ms: null, execution_ms: null },
  });
  await ahead.finish({ images: 1 });
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  const run = await t.sim.nextPrompt();
  run.progress(10, 20, '3');
  await expect.poll(async () => (await jobOf(t, jobId)).status).toBe('running');
  const running = await jobOf(t, jobId);
  expect(running).toMatchObject({
    queue_position: null,
    started_at: expect.any(String),
    progress: {
      current_node: '3',
      current_node_class: 'KSampler',
      step: 10,
      steps: 20,
      message: 'KSampler 10/20',
    },
  });
  await run.finish({ images: 2 });
  await ended(t, 'one');
  const done = await jobOf(t, jobId);
  expect(done).toMatchObject({ status: 'succeeded', progress: { value: 1 }, error: null });
  expect(done.outputs).toHaveLength(2);
  expect(Date.parse(done.completed_at ?? '')).toBeGreaterThanOrEqual(Date.parse(done.started_at ?? ''));
  expect(Date.parse(done.expires_at)).toBeGreaterThan(Date.now());
  expect(new Set(done.outputs.map(({ id }) => id)).size).toBe(2);
  for (const { url, size_bytes, content_type } of done.outputs) {
    const file = await fetch(url, { headers: { connection: 'close' } });
    expect(file.headers.get('content-type')).toBe(content_type);
    expect((await file.arrayBuffer()).byteLength).toBe(size_bytes);
  }
});

test('a job that failed says why, where, and nothing that is not for its owner', async () => {
  await using t = await startBridge();
  const { jobId } = await submit(t, 'one');
  (await t.sim.nextPrompt()).fail({ nodeId: '3', message: 'no luck', traceback: ['File "/srv/nodes.py"'] });
  await ended(t, 'one');
  const job = await jobOf(t, jobId);
  expect(job).toMatchObject({
    status: 'failed',
    outputs: [],
    error: { code: 'node_execution_error', node_id: '3', class_type: 'KSampler', traceback: null },
  });
  expectNoSecrets(job.error?.message ?? '');
});

test('a running job is canceled there; asking again changes nothing', async () => {
  await using t = await startBridge();
  const { jobId } = await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  run.progress(1, 20, '3');
  expect(['canceling', 'canceled']).toContain((await cancel(t, jobId)).status);
  await run.interrupted;
  await ended(t, 'one');
  const canceled = await jobOf(t, jobId);
  expect(canceled).toMatchObject({ status: 'canceled', error: null, outputs: [] });
  expect(await cancel(t, jobId)).toEqual(canceled);
});

test('a queued job is canceled at once and never starts', async () => {
  await using t = await startBridge({ env: { BACKEND_SLOTS: '1' } });
  await submit(t, 'ahead');
  const ahead = await t.sim.nextPrompt();
  const { jobId } = await submit(t, 'one');
  expect(await cancel(t, jobId)).toMatchObject({
    status: 'canceled',
    queue_position: null,
    started_at: null,
  });
  await ahead.finish({ images: 1 });
  await ended(t, 'ahead');
  expect(t.sim.counters['POST /prompt']).toBe(1);
});

test('canceling what is done leaves it as it is', async () => {
  await using t = await startBridge();
  const { jobId } = await submit(t, 'one');
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  await ended(t, 'one');
  const done = await jobOf(t, jobId);
  expect(await cancel(t, jobId)).toEqual(done);
  expect(done.outputs).toHaveLength(1);
});

test('what was delivered is no longer offered; the job stays', async () => {
  await using t = await startBridge();
  const { jobId } = await submit(t, 'one');
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  await ended(t, 'one');
  const delivered = t.nextEvent('job:delivered');
  await (await t.get('/history?clientId=one')).arrayBuffer();
  await delivered;
  expect(await jobOf(t, jobId)).toMatchObject({ status: 'succeeded', outputs: [] });
});

test('one that gave way to the next of its client has expired', async () => {
  await using t = await startBridge();
  const { jobId } = await submit(t, 'one');
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  await ended(t, 'one');
  await submit(t, 'one');
  expect(await jobOf(t, jobId)).toMatchObject({ status: 'expired', outputs: [] });
});

test('a job that starts again elsewhere is queued and running again, its progress not below what was told', async () => {
  await using t = await startBridge({ sims: 2 });
  const { jobId } = await submit(t, 'one');
  const run = await t.sims[0]?.nextPrompt();
  run?.progress(15, 20, '3');
  await expect.poll(async () => (await jobOf(t, jobId)).progress?.step).toBe(15);
  const before = (await jobOf(t, jobId)).progress?.value ?? 1;
  t.sims[0]?.crash();
  const again = await t.sims[1]?.nextPrompt();
  again?.progress(1, 20, '3');
  await expect.poll(async () => (await jobOf(t, jobId)).progress?.step).toBe(1);
  expect((await jobOf(t, jobId)).progress?.value).toBeGreaterThanOrEqual(before);
  await again?.finish({ images: 1 });
});

test('all is there after a restart, links and outputs included', async () => {
  await using world = await startWorld();
  const { sim } = world;
  let jobId = '';
  let before: V2Job | undefined;
  {
    await using t = await world.start();
    ({ jobId } = await submit(t, 'one'));
    await (await sim.nextPrompt()).finish({ images: 1 });
    await ended(t, 'one');
    before = await jobOf(t, jobId);
  }
  await using t = await world.start();
  const after = await jobOf(t, jobId);
  expect(after).toMatchObject({ id: before.id, status: 'succeeded', urls: before.urls });
  expect(after.outputs.map(({ id, name }) => ({ id, name }))).toEqual(
    before.outputs.map(({ id, name }) => ({ id, name })),
  );
  expect((await fetch(after.outputs[0]?.url ?? '', { headers: { connection: 'close' } })).status).toBe(200);
});

test('under a base path behind a proxy the links hold the path, and URLs the origin that the caller sees', async () => {
  await using t = await startBridge({ env: { BASE_PATH: '/comfy', TRUST_PROXY: '1' } });
  const { jobId } = await submit(t, 'one');
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  await ended(t, 'one');
  const headers = {
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'example.org',
    'x-forwarded-for': '1.2.3.4',
  };
  const job = await readJob(t.get(`/api/v2/jobs/${jobId}`, { headers }));
  expect(job.urls).toEqual({
    self: `/comfy/api/v2/jobs/${jobId}`,
    events: `/comfy/api/v2/jobs/${jobId}/events`,
    cancel: `/comfy/api/v2/jobs/${jobId}/cancel`,
  });
  const [output] = job.outputs;
  expect(output?.url).toBe(`https://example.org/comfy/api/v2/assets/${output?.id}/content`);
});

test.each([
  ['GET', '/api/v2/jobs/00000000-0000-4000-8000-000000000000'],
  ['GET', '/api/v2/jobs/nonsense'],
  ['POST', '/api/v2/jobs/00000000-0000-4000-8000-000000000000/cancel'],
  ['GET', '/api/v2/jobs/00000000-0000-4000-8000-000000000000/events'],
  ['GET', '/api/v2/nonsense'],
])('%s %s is 404 in the envelope of the contract', async (method, path) => {
  await using t = await startBridge({ sims: 0 });
  const answer = await t.get(path, { method });
  expect(answer.status).toBe(404);
  expect(v2ErrorSchema.parse(await parseBody(answer)).error.code).toBe('not_found');
});
