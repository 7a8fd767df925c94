import { expect, test } from 'vitest';

import { createWorkflowLabels } from '../src/observability/workflow-labels.ts';
import { createClock } from './_keys.ts';
import { graphOf } from './_publish.ts';
import { detailOf, ended, runJob, submit, uploadOne } from './_requests.ts';
import { scrape } from './_scrape.ts';
import { startBridge } from './_start-bridge.ts';
import { picture } from './_files-fixtures.ts';
import { openSocket } from './_ws-client.ts';

test('jobs are counted by workflow and end, and those under way by where they stand', async () => {
  await using t = await startBridge();
  await runJob(t, 'done');
  await submit(t, 'failing');
  (await t.sim.nextPrompt()).fail();
  await ended(t, 'failing');
  await submit(t, 'running');
  const run = await t.sim.nextPrompt();
  await submit(t, 'waiting');
  await submit(t, 'waiting-too', { workflow: 'upscale' });
  const now = await scrape(t);
  const workflow = 'text-to-image';
  expect(now.value('comfy_bridge_jobs_submitted_total', { workflow })).toBe(4);
  expect(now.value('comfy_bridge_jobs_total', { workflow, status: 'succeeded' })).toBe(1);
  expect(now.value('comfy_bridge_jobs_total', { workflow, status: 'failed' })).toBe(1);
  expect(now.value('comfy_bridge_job_failures_total', { workflow, reason: 'node_execution_error' })).toBe(1);
  expect(now.value('comfy_bridge_jobs_unfinished')).toBe(3);
  expect(now.value('comfy_bridge_jobs_unfinished', { workflow: 'upscale' })).toBe(1);
  expect(now.value('comfy_bridge_job_wait_seconds_count', { workflow })).toBeGreaterThanOrEqual(3);
  expect(now.value('comfy_bridge_job_run_seconds_count', { workflow })).toBe(1);
  expect(now.value('comfy_bridge_attempts_total', { backend: 'backend-1', outcome: 'succeeded' })).toBe(1);
  expect(now.value('comfy_bridge_attempts_total', { reason: 'node_execution_error' })).toBe(1);
  expect(now.value('comfy_bridge_backend_slots_used', { backend: 'backend-1' })).toBeGreaterThanOrEqual(1);
  await run.finish({ images: 1 });
  expect(t.errors).toEqual([]);
});

test('what waits, and for how long, is told', async () => {
  const clock = { ahead: 0 };
  await using t = await startBridge({ sims: 0, overrides: { now: () => Date.now() + clock.ahead } });
  expect((await scrape(t)).value('comfy_bridge_queue_oldest_seconds')).toBe(0);
  await submit(t, 'one');
  clock.ahead = 90_000;
  const now = await scrape(t);
  expect(now.value('comfy_bridge_queue_length')).toBe(1);
  expect(now.value('comfy_bridge_queue_oldest_seconds')).toBeGreaterThanOrEqual(90);
  expect(now.value('comfy_bridge_jobs_unfinished', { state: 'queued' })).toBe(1);
});

test('a backend that goes and comes back is told by its state, and its losses are counted', async () => {
  await using t = await startBridge();
  const state = async (of: string) =>
    (await scrape(t)).value('comfy_bridge_backend_state', { backend: 'backend-1', state: of });
  expect([await state('ready'), await state('lost')]).toEqual([1, 0]);
  const lost = t.nextEvent('backend:lost');
  await t.sim.refuse(true);
  await lost;
  expect([await state('ready'), await state('lost')]).toEqual([0, 1]);
  const now = await scrape(t);
  expect(now.value('comfy_bridge_backends', { state: 'ready' })).toBe(0);
  expect(now.value('comfy_bridge_backends', { state: 'lost' })).toBe(1);
  expect(now.value('comfy_bridge_backend_losses_total', { backend: 'backend-1' })).toBe(1);
});

test('an attempt that is lost is counted by its kind, and goes with its backend', async () => {
  await using t = await startBridge();
  await submit(t, 'one');
  await t.sim.nextPrompt();
  const lost = t.nextEvent('attempt:lost');
  await t.sim.refuse(true);
  expect(await lost).toMatchObject({ backend: 'backend-1', kind: 'backend-lost' });
  const labels = { backend: 'backend-1', outcome: 'lost', reason: 'backend_lost' };
  expect((await scrape(t)).value('comfy_bridge_attempts_total', labels)).toBe(1);
  const removed = t.nextEvent('backend:removed');
  await t.get('/api/bridge/backends/backend-1?now=true', { method: 'DELETE' });
  await removed;
  expect((await scrape(t)).labels('backend')).toEqual(new Set());
});

test('requests are counted by route, method and class of status, and nothing of a URL becomes a label', async () => {
  await using t = await startBridge({ sims: 0 });
  await t.get('/healthz');
  await t.get('/readyz');
  await t.get('/a-secret/path?token=a-secret');
  await t.get('/api/bridge/jobs/a-secret-id');
  await t.get('/%', { method: 'PROPFIND' });
  const now = await scrape(t);
  const of = (route: string, method: string, status: string) =>
    now.value('comfy_bridge_http_requests_total', { route, method, status });
  expect(of('/healthz', 'GET', '2xx')).toBe(1);
  expect(of('/readyz', 'GET', '5xx')).toBe(1);
  expect(of('/api/bridge/jobs/:id', 'GET', '4xx')).toBe(1);
  expect(of('other', 'GET', '4xx')).toBe(1);
  expect(of('other', 'other', '4xx')).toBe(1);
  expect(now.value('comfy_bridge_http_refusals_total', { code: 'not_found' })).toBeGreaterThanOrEqual(2);
  expect(now.value('comfy_bridge_http_request_duration_seconds_count', { route: '/healthz' })).toBe(1);
  expect(now.text).not.toContain('secret');
});

test('sockets, streams, bytes and webhooks are told as they are now', async () => {
  await using t = await startBridge();
  using _socket = await openSocket(`${t.wsUrl}/ws?clientId=listener`);
  const bytes = await picture(20, 20).png().toBuffer();
  await uploadOne(t, bytes);
  await submit(t, 'one');
  const now = await scrape(t);
  expect(now.value('comfy_bridge_websockets_open')).toBe(1);
  expect(now.value('comfy_bridge_files_bytes_total', { kind: 'upload' })).toBe(bytes.length);
  expect(now.value('comfy_bridge_storage_used_bytes')).toBeGreaterThanOrEqual(bytes.length);
  expect(now.value('comfy_bridge_storage_quota_bytes')).toBe(50 * 1024 ** 3);
  expect(now.value('comfy_bridge_disk_size_bytes')).toBeGreaterThan(0);
  expect(now.value('comfy_bridge_webhooks_owed')).toBe(0);
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  await ended(t, 'one');
  expect((await scrape(t)).value('comfy_bridge_files_bytes_total', { kind: 'result' })).toBeGreaterThan(0);
});

test('requests beyond the limit of a caller are counted', async () => {
  const clock = createClock();
  await using t = await startBridge({
    sims: 0,
    env: { LIMIT_REQUESTS: '2' },
    overrides: { now: clock.now },
  });
  for (const _ of [1, 2, 3, 4]) await t.get('/healthz');
  expect((await t.get('/metrics')).status).toBe(429);
  clock.advance(60_000);
  const now = await scrape(t);
  expect(now.value('comfy_bridge_http_rate_limited_total')).toBe(3);
  expect(now.value('comfy_bridge_http_refusals_total', { code: 'limited' })).toBe(3);
});

test('graphs of callers are one label, and so is what has no place among the workflows', () => {
  const labelOf = createWorkflowLabels({ max: 2 });
  expect(['a', 'b', 'c', 'a', 'graph:0123'].map(labelOf)).toEqual(['a', 'b', 'other', 'a', 'graph']);
});

test('a graph of a caller is counted as one', async () => {
  await using t = await startBridge({ sim: { mode: 'free', runMs: 0 } });
  const finished = t.nextEvent('job:finished');
  const answer = await t.post('/api/v2/jobs', { workflow: graphOf(64) });
  expect(answer.status, await answer.text()).toBe(201);
  await finished;
  expect((await scrape(t)).labels('workflow')).toEqual(new Set(['graph']));
});

test('METRICS=off counts nothing, and says how to turn it on', async () => {
  await using t = await startBridge({ sims: 0, env: { METRICS: 'off' } });
  const answer = await t.get('/metrics');
  expect(answer.status).toBe(404);
  expect(await detailOf(answer)).toContain('METRICS=on');
});
