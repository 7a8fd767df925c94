import { v2ErrorSchema, v2JobSchema, v2PreviewEventSchema, v2ProgressSchema } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { checkEvents, openEvents } from './_event-client.ts';
import type { StreamedEvent } from './_event-client.ts';
import { ended, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';
import { startWorld } from './_world.ts';
import { openSocket } from './_ws-client.ts';

const jpeg = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.alloc(200, 7)]);

function eventsUrl(t: TestBridge, jobId: string): string {
  return `${t.url}/api/v2/jobs/${jobId}/events`;
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
  const states = checkEvents(reader.events);
  expect([...new Set(states)]).toEqual(['queued', 'running', 'succeeded']);
  expect(reader.events.at(-1)).toMatchObject({
    event: 'status',
    data: { status: 'succeeded', queue_position: null },
  });
  const { outputs } = v2JobSchema.parse(await (await t.get(`/api/v2/jobs/${jobId}`)).json());
  expect(reader.events.filter(({ event }) => event === 'output').map(({ data }) => data)).toEqual(outputs);
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
  checkEvents(reader.events);
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
  checkEvents(reader.events);
});

test('a burst of progress is told at most ten times a second, and a state is never told twice in a row', async () => {
  await using t = await startBridge();
  const { jobId } = await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  using reader = await openEvents(eventsUrl(t, jobId));
  run.progress(1, 20, '3');
  await reader.next('progress');
  const began = performance.now();
  await t.sim.floodProgress(20_000);
  await run.finish({ images: 1 });
  await reader.ended;
  const seconds = (performance.now() - began) / 1000;
  const told = reader.events.filter(({ event }) => event === 'progress').length;
  expect(told).toBeLessThanOrEqual(5 + seconds * 10);
  expect(told).toBeGreaterThanOrEqual(1);
  const states = checkEvents(reader.events);
  expect(states.filter((state, at) => state === states[at - 1])).toEqual([]);
});

test('a client that lost the connection goes on behind its last id: no state is missed and none comes twice', async () => {
  await using t = await startBridge();
  const { jobId } = await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  let first: Awaited<ReturnType<typeof openEvents>>;
  {
    using reader = (first = await openEvents(eventsUrl(t, jobId)));
    run.progress(5, 20, '3');
    await reader.next('progress');
  }
  run.progress(10, 20, '3');
  const progressed = t.nextEvent('job:finished');
  await run.finish({ images: 1 });
  await progressed;
  using second = await openEvents(eventsUrl(t, jobId), first.lastId());
  await second.ended;
  checkEvents([...first.events, ...second.events]);
  expect(second.events.some(({ event }) => event === 'output')).toBe(true);
  expect(second.events.at(-1)).toMatchObject({ event: 'status', data: { status: 'succeeded' } });
  using third = await openEvents(eventsUrl(t, jobId), second.lastId());
  await third.ended;
  expect(third.events).toEqual([]);
  using byQuery = await openEvents(`${eventsUrl(t, jobId)}?after=${first.lastId()}`);
  await byQuery.ended;
  expect(byQuery.events).toEqual(second.events);
});

test('a stream lives through the loss of a ComfyUI: queued again, running again, done; ids go on rising', async () => {
  await using t = await startBridge();
  const { jobId } = await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  using reader = await openEvents(eventsUrl(t, jobId));
  run.progress(10, 20, '3');
  await reader.next('progress');
  await t.sim.restart();
  const again = await t.sim.nextPrompt();
  again.progress(2, 20, '3');
  await again.finish({ images: 1 });
  await reader.ended;
  const states = checkEvents(reader.events);
  expect(states.filter((state, at) => state !== states[at - 1])).toEqual(
    ['queued', 'running', 'queued', 'running', 'succeeded'].slice(states[0] === 'queued' ? 0 : 1),
  );
  const values = reader.events.flatMap(({ event, data }) =>
    event === 'progress' ? [v2ProgressSchema.parse(data).value] : [],
  );
  expect(values).toEqual(values.toSorted((a, b) => a - b));
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
  expect(checkEvents(reader.events).at(-1)).toBe(state);
  using late = await openEvents(eventsUrl(t, jobId));
  await late.ended;
  expect(checkEvents(late.events).at(-1)).toBe(state);
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
  expect(checkEvents(reader.events).at(-1)).toBe('succeeded');
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
  const began = performance.now();
  expect((await t.get('/healthz')).status).toBe(200);
  await run.finish({ images: 1 });
  await Promise.all(readers.map(({ ended }) => ended));
  expect(performance.now() - began).toBeLessThan(5_000);
  for (const { events } of readers)
    expect(events.at(-1)).toMatchObject({ event: 'status', data: { status: 'succeeded' } });
  expect(t.errors).toEqual([]);
});

test('the next process goes on where the last one was: ids rise, and an id of before still counts', async () => {
  await using world = await startWorld();
  const { sim } = world;
  let jobId = '';
  let heard: StreamedEvent[] = [];
  let lastId = 0;
  let run: Awaited<ReturnType<typeof sim.nextPrompt>>;
  {
    await using t = await world.start();
    ({ jobId } = await submit(t, 'one'));
    run = await sim.nextPrompt();
    using reader = await openEvents(eventsUrl(t, jobId));
    for (let step = 1; step <= 5; step += 1) {
      run.progress(step, 20, '3');
      await reader.next('progress');
    }
    await t.bridge.close();
    await reader.ended;
    ({ events: heard } = reader);
    lastId = reader.lastId();
  }
  await using t = await world.start();
  await expect.poll(() => sim.sockets()).toBeGreaterThan(0);
  using reader = await openEvents(eventsUrl(t, jobId), lastId);
  run.progress(10, 20, '3');
  await reader.next('progress');
  await run.finish({ images: 1 });
  await reader.ended;
  expect(reader.events.at(-1)).toMatchObject({ event: 'status', data: { status: 'succeeded' } });
  checkEvents([...heard, ...reader.events]);
  using late = await openEvents(eventsUrl(t, jobId), reader.lastId());
  await late.ended;
  expect(late.events).toEqual([]);
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
