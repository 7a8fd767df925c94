import { v2ProgressSchema } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { checkEvents, openEvents } from './_event-client.ts';
import type { StreamedEvent } from './_event-client.ts';
import { ended, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';
import { startWorld } from './_world.ts';
import { openSocket } from './_ws-client.ts';

const png = Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47]), Buffer.alloc(200, 7)]);

function eventsUrl(t: TestBridge, jobId: string): string {
  return `${t.url}/api/bridge/jobs/${jobId}/events`;
}

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

test('each event has a number, and so has each output; who comes back in between gets the ones it has not', async () => {
  await using t = await startBridge();
  const { jobId } = await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  using reader = await openEvents(eventsUrl(t, jobId));
  await reader.next('status');
  run.save('9', 1);
  const first = await reader.next('output');
  expect(first.id).toBe(reader.lastId());
  const kept = t.nextEvent('job:output', ({ result }) => result.fileName.includes('_00002_'));
  run.save('9', 1);
  await kept;
  const second = await reader.next('output');
  using back = await openEvents(eventsUrl(t, jobId), first.id);
  expect(await back.next('output')).toEqual(second);
  const outputs = back.events.filter(({ event }) => event === 'output');
  expect(outputs).toEqual([second]);
  await run.finish({ images: 1 });
  await back.ended;
  checkEvents(reader.events);
  checkEvents(back.events);
});

test('who is ten thousand events behind gets every change of state and the newest of the rest', async () => {
  await using t = await startBridge();
  const { jobId } = await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  run.start('3');
  let lastId = 0;
  {
    using reader = await openEvents(eventsUrl(t, jobId));
    await reader.next('status');
    lastId = reader.lastId();
  }
  await t.sim.floodProgress(10_000);
  await t.sim.restart();
  const again = await t.sim.nextPrompt();
  again.start('3');
  const newest = t.nextEvent('job:progress', ({ progress }) => progress.step === 10_000);
  await t.sim.floodProgress(10_000);
  await newest;
  using reader = await openEvents(eventsUrl(t, jobId), lastId);
  const progress = await reader.next('progress');
  expect(progress.data).toMatchObject({ step: 10_000, steps: 10_000 });
  expect(checkEvents(reader.events)).toContain('queued');
  expect(reader.events.filter(({ event }) => event === 'progress')).toHaveLength(1);
  await again.finish({ images: 1 });
  await reader.ended;
  expect(checkEvents(reader.events).at(-1)).toBe('succeeded');
});

test('a picture that is no JPEG comes as what it is; one that is as large as a result does not come', async () => {
  await using t = await startBridge();
  using watcher = await openSocket(`${t.wsUrl}/ws?clientId=one&previews=1`);
  const { jobId } = await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  using reader = await openEvents(eventsUrl(t, jobId));
  await reader.next('status');
  run.preview(Buffer.concat([png, Buffer.alloc(700_000)]));
  await watcher.nextBinary();
  run.preview(png);
  expect((await reader.next('preview')).data).toMatchObject({
    content_type: 'image/png',
    data_base64: png.toString('base64'),
  });
  await run.finish({ images: 1 });
  await reader.ended;
  expect(reader.events.filter(({ event }) => event === 'preview')).toHaveLength(1);
});

test('who comes when it is over gets the outputs and the end at once', async () => {
  await using t = await startBridge();
  const { jobId } = await submit(t, 'one');
  await (await t.sim.nextPrompt()).finish({ images: 2 });
  await ended(t, 'one');
  using reader = await openEvents(eventsUrl(t, jobId));
  await reader.ended;
  expect(reader.events.map(({ event }) => event)).toEqual(['progress', 'output', 'output', 'status']);
  expect(reader.events.map(({ id }) => id)).toEqual([undefined, undefined, undefined, reader.lastId()]);
});
