import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import {
  v2ErrorSchema,
  v2JobSchema,
  v2OutputSchema,
  v2PreviewEventSchema,
  v2ProgressSchema,
} from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { checkEvents, openEvents } from './_event-client.ts';
import type { EventReader } from './_event-client.ts';
import { ended, submit } from './_requests.ts';
import { startBridge, workflowsDir } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';
import { openSocket } from './_ws-client.ts';

const jpeg = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.alloc(200, 7)]);

function eventsUrl(t: TestBridge, jobId: string): string {
  return `${t.url}/api/v2/jobs/${jobId}/events`;
}

/** Every event as the contract says, and nothing beside it: no number, no time to come back. */
function checkOfficial(reader: EventReader): string[] {
  expect(reader.text()).not.toMatch(/^(id|retry):/m);
  return checkEvents(reader.events);
}

test('from the first moment to the end: states, progress, outputs, as the contract says; then the stream ends', async () => {
  await using t = await startBridge({ env: { BACKEND_SLOTS: '1' } });
  await submit(t, 'ahead');
  const ahead = await t.sim.nextPrompt();
  const { jobId } = await submit(t, 'one');
  using reader = await openEvents(eventsUrl(t, jobId));
  expect(reader.status).toBe(200);
  expect(reader.headers['content-type']).toMatch(/^text\/event-stream/);
  expect(reader.headers['cache-control']).toContain('no-store');
  expect(reader.headers['x-accel-buffering']).toBe('no');
  expect(await reader.next()).toMatchObject({
    event: 'status',
    data: { status: 'queued', queue_position: 0 },
  });
  await ahead.finish({ images: 1 });
  const run = await t.sim.nextPrompt();
  run.progress(10, 20, '3');
  expect((await reader.next('progress')).data).toMatchObject({ current_node: '3' });
  await run.finish({ images: 2 });
  await reader.ended;
  const states = checkOfficial(reader);
  expect([...new Set(states)]).toEqual(['queued', 'running', 'succeeded']);
  expect(reader.events.at(-1)).toMatchObject({
    event: 'status',
    data: { status: 'succeeded', queue_position: null },
  });
  const { outputs } = v2JobSchema.parse(await (await t.get(`/api/v2/jobs/${jobId}`)).json());
  const told = reader.events.flatMap(({ event, data }) =>
    event === 'output' ? [v2OutputSchema.parse(data)] : [],
  );
  // They come as they are there; how long they can be had is known when the job has ended.
  const lasting = ({ url_expires_at: _until, ...output }: (typeof outputs)[number]) => output;
  const byId = (a: { id: string }, b: { id: string }) => a.id.localeCompare(b.id);
  expect(told.map(lasting).toSorted(byId)).toEqual(outputs.map(lasting).toSorted(byId));
  expect(outputs).toHaveLength(2);
  for (const { url, size_bytes } of outputs) {
    const file = await fetch(url, { headers: { connection: 'close' } });
    expect((await file.arrayBuffer()).byteLength).toBe(size_bytes);
  }
  expect(t.errors).toEqual([]);
});

test('who comes in the middle gets the state, the newest progress and the newest picture at once', async () => {
  await using t = await startBridge();
  using watcher = await openSocket(`${t.wsUrl}/ws?clientId=one&previews=1`);
  const { jobId } = await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  run.progress(5, 20, '3');
  run.preview(Buffer.concat([jpeg, Buffer.from('older')]));
  run.progress(10, 20, '3');
  run.preview(jpeg);
  await watcher.nextBinary();
  await watcher.nextBinary();
  using reader = await openEvents(eventsUrl(t, jobId));
  const first = [await reader.next(), await reader.next(), await reader.next()];
  expect(first.map(({ event }) => event)).toEqual(['status', 'progress', 'preview']);
  expect(first[0]?.data).toMatchObject({ status: 'running' });
  expect(first[1]?.data).toMatchObject({ step: 10, steps: 20 });
  const { data_base64: picture, content_type: type } = v2PreviewEventSchema.parse(first[2]?.data);
  expect(Buffer.from(picture, 'base64').equals(jpeg)).toBe(true);
  expect(type).toBe('image/jpeg');
  checkOfficial(reader);
});

test('a picture that comes right behind a progress is told, and so is the last progress of a burst', async () => {
  await using t = await startBridge();
  using watcher = await openSocket(`${t.wsUrl}/ws?clientId=one&previews=1`);
  const { jobId } = await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  using reader = await openEvents(eventsUrl(t, jobId));
  await reader.next('status');
  for (let step = 1; step <= 10; step += 1) run.progress(step, 20, '3');
  run.preview(jpeg);
  await watcher.nextBinary();
  await reader.next('preview');
  let last = reader.events.findLast(({ event }) => event === 'progress');
  while (v2ProgressSchema.parse(last?.data).step !== 10) last = await reader.next('progress');
  checkOfficial(reader);
});

test.each([
  ['failed', async (_t: TestBridge, run: { fail(): void }) => run.fail()],
  [
    'canceled',
    async (t: TestBridge, _run: unknown, jobId: string) =>
      void (await t.post(`/api/v2/jobs/${jobId}/cancel`)),
  ],
])('the stream of a job that is %s ends with that', async (state, end) => {
  await using t = await startBridge();
  const { jobId } = await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  run.progress(10, 20, '3');
  using reader = await openEvents(eventsUrl(t, jobId));
  await reader.next('progress');
  await end(t, run, jobId);
  await reader.ended;
  expect(checkOfficial(reader).at(-1)).toBe(state);
  using late = await openEvents(eventsUrl(t, jobId));
  await late.ended;
  expect(checkOfficial(late).at(-1)).toBe(state);
});

test('progress is told about twice a second, always the newest, and the last one before the end', async () => {
  await using t = await startBridge();
  const { jobId } = await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  using reader = await openEvents(eventsUrl(t, jobId));
  run.progress(1, 20, '3');
  await reader.next('progress');
  const began = performance.now();
  for (let round = 0; round < 5; round += 1) {
    await t.sim.floodProgress(10_000);
    await reader.next('progress');
  }
  await run.finish({ images: 1 });
  await reader.ended;
  const seconds = (performance.now() - began) / 1000;
  const told = reader.events.filter(({ event }) => event === 'progress').map(({ data }) => data);
  expect(told.length).toBeLessThanOrEqual(3 + seconds * 2);
  expect(told.at(-1)).toMatchObject({ value: 1 });
  expect(reader.events.findLastIndex(({ event }) => event === 'progress')).toBeLessThan(
    reader.events.length - 1,
  );
  const states = checkOfficial(reader);
  expect(states.filter((state, at) => state === states[at - 1])).toEqual([]);
});

test('the number of an event means nothing here: who sends one is told how things stand, as anybody', async () => {
  await using t = await startBridge();
  const { jobId } = await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  run.progress(5, 20, '3');
  await t.nextEvent('job:progress', ({ progress }) => progress.step === 5);
  using reader = await openEvents(`${eventsUrl(t, jobId)}?after=900000000`, 900_000_000);
  expect((await reader.next()).event).toBe('status');
  expect((await reader.next()).data).toMatchObject({ step: 5 });
  await run.finish({ images: 1 });
  await reader.ended;
  expect(checkOfficial(reader).at(-1)).toBe('succeeded');
});

test('a picture that is no JPEG is left out: the contract has only those', async () => {
  await using t = await startBridge();
  using watcher = await openSocket(`${t.wsUrl}/ws?clientId=one&previews=1`);
  const { jobId } = await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  using reader = await openEvents(eventsUrl(t, jobId));
  await reader.next('status');
  run.preview(Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47]), Buffer.alloc(200)]));
  await watcher.nextBinary();
  run.preview(jpeg);
  expect((await reader.next('preview')).data).toMatchObject({ content_type: 'image/jpeg' });
  await run.finish({ images: 1 });
  await reader.ended;
  checkOfficial(reader);
});

test.each([
  ['a stream of its events is open', true],
  ['nobody listens', false],
])('previews are asked for when the prompt is handed in while %s: %s', async (_how, listens) => {
  await using t = await startBridge({ env: { BACKEND_SLOTS: '1' } });
  await submit(t, 'ahead');
  const ahead = await t.sim.nextPrompt();
  const { jobId } = await submit(t, 'one');
  using reader = listens ? await openEvents(eventsUrl(t, jobId)) : undefined;
  await reader?.next('status');
  await ahead.finish({ images: 1 });
  const run = await t.sim.nextPrompt();
  expect(run.extraData).toEqual(
    listens
      ? expect.objectContaining({ preview_method: 'auto' })
      : expect.not.objectContaining({ preview_method: 'auto' }),
  );
});

test('a job of this API has previews made although nobody listens yet', async () => {
  await using t = await startBridge();
  const graph: unknown = JSON.parse(await readFile(join(workflowsDir, 'text-to-image.json'), 'utf8'));
  const answer = await t.post('/api/v2/jobs', { workflow: graph });
  expect(answer.status).toBe(201);
  expect((await t.sim.nextPrompt()).extraData).toMatchObject({ preview_method: 'auto' });
});

test('the place in the queue is told as it changes', async () => {
  await using t = await startBridge({ env: { BACKEND_SLOTS: '1' } });
  await submit(t, 'ahead');
  const ahead = await t.sim.nextPrompt();
  await submit(t, 'second');
  const { jobId } = await submit(t, 'third');
  using reader = await openEvents(eventsUrl(t, jobId));
  expect((await reader.next('status')).data).toEqual({ status: 'queued', queue_position: 1 });
  await ahead.finish({ images: 1 });
  expect((await reader.next('status')).data).toEqual({ status: 'queued', queue_position: 0 });
});

test('results that were delivered are not offered to who comes late', async () => {
  await using t = await startBridge();
  const { jobId } = await submit(t, 'one');
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  await ended(t, 'one');
  const delivered = t.nextEvent('job:delivered');
  await (await t.get('/history?clientId=one')).arrayBuffer();
  await delivered;
  using reader = await openEvents(eventsUrl(t, jobId));
  await reader.ended;
  expect(reader.events.map(({ event }) => event)).not.toContain('output');
  expect(checkOfficial(reader).at(-1)).toBe('succeeded');
});

test.each(['00000000-0000-4000-8000-000000000000', 'nonsense', '..%2F..%2Fetc'])(
  'a job that is not there (%s) is 404 in the words of the contract',
  async (id) => {
    await using t = await startBridge({ sims: 0 });
    using reader = await openEvents(eventsUrl(t, id));
    await reader.ended;
    expect(reader.status).toBe(404);
    expect(v2ErrorSchema.parse(JSON.parse(reader.text())).error.code).toBe('not_found');
  },
);

test('a thousand listeners of one job all hear the end, and hold up nobody', async () => {
  await using t = await startBridge();
  const { jobId } = await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  const readers = await Promise.all(Array.from({ length: 1_000 }, () => openEvents(eventsUrl(t, jobId))));
  run.progress(10, 20, '3');
  await Promise.all(readers.map((reader) => reader.next('progress')));
  // One more of the same caller is refused; of another one it is not.
  using refused = await openEvents(eventsUrl(t, jobId));
  await refused.ended;
  const other = await t.get(`/api/bridge/jobs/${jobId}/events`, {
    method: 'HEAD',
    headers: { authorization: 'Bearer other' },
  });
  expect(other.status).toBe(200);
  const began = performance.now();
  expect((await t.get('/healthz')).status).toBe(200);
  await run.finish({ images: 1 });
  await Promise.all(readers.map(({ ended }) => ended));
  expect(performance.now() - began).toBeLessThan(5_000);
  for (const { events } of readers)
    expect(events.at(-1)).toMatchObject({ event: 'status', data: { status: 'succeeded' } });
  expect(refused.status).toBe(429);
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  expect(v2ErrorSchema.parse(JSON.parse(refused.text())).error.code).toBe('too_many_streams');
  expect(t.errors).toEqual([]);
});

test('a stop ends the streams at once; their clients come back', async () => {
  await using t = await startBridge({ env: { SHUTDOWN_TIMEOUT: '8' } });
  const { jobId } = await submit(t, 'one');
  await t.sim.nextPrompt();
  using reader = await openEvents(eventsUrl(t, jobId));
  await reader.next('status');
  const began = performance.now();
  await t.bridge.close();
  await reader.ended;
  expect(performance.now() - began).toBeLessThan(2_000);
});
