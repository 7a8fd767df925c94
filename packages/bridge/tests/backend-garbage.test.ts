import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { detailOf, ended, expectNoSecrets, parseBody, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import { openSocket } from './_ws-client.ts';

test.each([false, true])(
  'a huge result is cut off at the cap while it streams (chunked: %s); nothing is left',
  async (chunked) => {
    await using t = await startBridge({ env: { MAX_RESULT_SIZE: '1' } });
    const before = process.memoryUsage().rss;
    t.sim.failNext('GET /view', { hugeBytes: 300 * 1024 * 1024, chunked, contentType: 'image/png' }, 2);
    await submit(t, 'one');
    await (await t.sim.nextPrompt()).finish({ images: 1 });
    expect(await ended(t, 'one')).toMatchObject({
      state: { status: 'failed', error: { code: 'result_refused' } },
    });
    expect(await detailOf(await t.get('/history?clientId=one'))).toMatch(/too large|larger/);
    for (const folder of ['tmp', 'results']) expect(await readdir(join(t.dataDir, folder))).toEqual([]);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
  },
);

test('a result that breaks off is fetched in a new attempt, never delivered by half', async () => {
  await using t = await startBridge();
  t.sim.failNext('GET /view', 'truncate', 2);
  await submit(t, 'one');
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({ attempt: 2, state: { status: 'succeeded' } });
});

test('a flood of progress reaches a client at most ten times a second, the newest included', async () => {
  await using t = await startBridge();
  using client = await openSocket(`${t.wsUrl}/ws?clientId=one`);
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  run.progress(1, 20, '3');
  await client.next('progress');
  const began = performance.now();
  const newest = t.nextEvent('job:progress', ({ progress }) => progress.step === 50_000);
  await t.sim.floodProgress(50_000);
  await newest;
  const { detail } = await parseBody<{ detail: string }>(t.get('/execution-info?clientId=one'));
  await run.finish({ images: 1 });
  await client.closed;
  const seconds = (performance.now() - began) / 1_000;
  const told = client.frames.filter(({ status }) => status === 'progress').map((frame) => frame.detail);
  expect(told.length).toBeLessThanOrEqual(Math.ceil(seconds * 10) + 5);
  expect(Math.max(...told.slice(0, -1).map(Number.parseFloat))).toBeGreaterThanOrEqual(
    Number.parseFloat(detail),
  );
  expect(t.errors).toEqual([]);
});

const deep = '['.repeat(200_000);

test.each<[string, (string | Uint8Array)[]]>([
  ['text that is no JSON', ['', '{', 'NaN', 'null', '[]', '7', '{"type":7}', '{"type":"progress"}']],
  [
    'fields of the wrong type',
    [
      '{"type":"progress","data":{"value":"x","max":[],"node":{}}}',
      '{"type":"status","data":{"status":{"exec_info":{"queue_remaining":"many"}}}}',
      '{"type":"progress_state","data":{"nodes":[1]}}',
      '{"type":"execution_error","data":{}}',
      '{"type":"executed","data":{"node":"9","output":"x"}}',
    ],
  ],
  ['deep JSON', [deep, `{"type":"progress","data":${deep}`]],
  [
    'binary frames of no kind',
    [
      Buffer.alloc(0),
      Buffer.alloc(3),
      Buffer.from([0, 0, 0, 99, 1, 2, 3]),
      Buffer.from([0, 0, 0, 1]),
      Buffer.from([0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff]),
    ],
  ],
  ['a large message', [`{"type":"x","data":"${'y'.repeat(5 * 1024 * 1024)}"}`]],
  ['unknown events', ['{"type":"crystools.monitor","data":{"cpu":1}}', '{"type":"__proto__","data":{}}']],
])('%s from a ComfyUI is survived, and the job goes on', async (_what, frames) => {
  await using t = await startBridge();
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  run.progress(3, 20, '3');
  for (const frame of frames) t.sim.sendRaw(frame);
  const step = t.nextEvent('job:progress', ({ progress }) => progress.step === 15);
  run.progress(15, 20, '3');
  await step;
  await run.finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
  expect(t.errors).toEqual([]);
});

test('an end that is told too early is not believed', async () => {
  await using t = await startBridge();
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  run.progress(3, 20, '3');
  const looked = t.sim.counters['GET /history/:id'] ?? 0;
  t.sim.sendRaw(JSON.stringify({ type: 'executing', data: { node: null, prompt_id: run.promptId } }));
  await expect.poll(() => t.sim.counters['GET /history/:id']).toBeGreaterThan(looked);
  await run.finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
});

test('events of a stranger’s prompt do not touch ours', async () => {
  await using t = await startBridge();
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  run.progress(3, 20, '3');
  for (const type of ['execution_success', 'execution_error', 'execution_interrupted', 'executing']) {
    t.sim.sendRaw(JSON.stringify({ type, data: { prompt_id: 'somebody-elses', node: null, node_id: '3' } }));
  }
  const step = t.nextEvent('job:progress', ({ progress }) => progress.step === 15);
  run.progress(15, 20, '3');
  await step;
  await run.finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
});

test.each(['garbage', 'reset-after', 'truncate', 500] as const)(
  'an answer to the prompt that is %s: the job is done once, and its prompt is not left behind',
  async (fault) => {
    await using t = await startBridge({ sims: 2 });
    t.sim.failNext('POST /prompt', fault);
    await submit(t, 'one');
    const run = await t.sims[1]?.nextPrompt();
    await run?.finish({ images: 1 });
    const job = await ended(t, 'one');
    expect(job).toMatchObject({ attempt: 2, state: { status: 'succeeded' } });
    await expect.poll(() => t.sim.queue(), { timeout: 3_000 }).toEqual({ running: [], pending: [] });
  },
);

test.each(['GET /object_info', 'GET /system_stats', 'GET /prompt'])(
  'nonsense from %s: the machine is not used until it makes sense',
  async (route) => {
    await using t = await startBridge({ ready: false, env: { PROBE_INTERVAL: '0.05' } });
    for (const fault of ['garbage', 500, { body: deep }] as const) t.sim.failNext(route, fault);
    await submit(t, 'one');
    await (await t.sim.nextPrompt()).finish({ images: 1 });
    expect(await ended(t, 'one')).toMatchObject({ state: { status: 'succeeded' } });
    for (const error of t.errors) expectNoSecrets(error);
  },
);
