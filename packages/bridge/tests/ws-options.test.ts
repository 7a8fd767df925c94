import { expect, test } from 'vitest';

import { submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import { openSocket } from './_ws-client.ts';

const jpeg = Buffer.concat([
  Buffer.from([0xff, 0xd8, 0xff, 0xe0]),
  Buffer.alloc(200, 7),
  Buffer.from([0xff, 0xd9]),
]);

test('previews=1: the picture itself comes as a binary frame, to those alone who asked', async () => {
  await using t = await startBridge();
  using watcher = await openSocket(`${t.wsUrl}/ws?clientId=one&previews=1`);
  using plain = await openSocket(`${t.wsUrl}/ws?clientId=one`);
  using stranger = await openSocket(`${t.wsUrl}/ws?clientId=two&previews=1`);
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  run.preview(jpeg);
  expect((await watcher.nextBinary()).equals(jpeg)).toBe(true);
  await run.finish({ images: 1 });
  await Promise.all([watcher.closed, plain.closed]);
  expect(plain.binary).toEqual([]);
  expect(stranger.binary).toEqual([]);
});

test('a ComfyUI is asked for previews only when somebody listens', async () => {
  await using t = await startBridge();
  using watcher = await openSocket(`${t.wsUrl}/ws?clientId=one&previews=1`);
  using plain = await openSocket(`${t.wsUrl}/ws?clientId=two`);
  for (const [clientId, wanted] of [
    ['one', 'auto'],
    ['two', undefined],
    ['polls', undefined],
  ] as const) {
    await submit(t, clientId);
    const run = await t.sim.nextPrompt();
    expect(run.extraData['preview_method'], clientId).toBe(wanted);
    await run.finish({ images: 1 });
  }
  await Promise.all([watcher.closed, plain.closed]);
});

test('PREVIEWS=off: a ComfyUI is never asked', async () => {
  await using t = await startBridge({ env: { PREVIEWS: 'off' } });
  using watcher = await openSocket(`${t.wsUrl}/ws?clientId=one&previews=1`);
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  expect(run.extraData['preview_method']).toBeUndefined();
  await run.finish({ images: 1 });
  await watcher.closed;
});

test('events=2 adds what is known of the job; the texts stay the same', async () => {
  await using t = await startBridge({ env: { BACKEND_SLOTS: '1', TIMEOUT_INTERVAL: '0.05' } });
  await submit(t, 'ahead');
  const ahead = await t.sim.nextPrompt();
  using client = await openSocket(`${t.wsUrl}/ws?clientId=one&events=2`);
  const { jobId } = await submit(t, 'one');
  await submit(t, 'behind');
  using behind = await openSocket(`${t.wsUrl}/ws?clientId=behind&events=2`);
  let beat = await client.next('listening');
  while (beat.jobId === undefined) beat = await client.next('listening');
  expect(beat).toMatchObject({ detail: 'server is listening', jobId, state: 'queued', queuePosition: 0 });
  expect(await behind.next('listening')).toMatchObject({ state: 'queued', queuePosition: 1 });
  await ahead.finish({ images: 1 });
  const run = await t.sim.nextPrompt();
  run.progress(10, 20, '3');
  let progress = await client.next('progress');
  while (progress.step !== 10) progress = await client.next('progress');
  expect(progress).toMatchObject({
    jobId,
    state: 'running',
    queuePosition: null,
    node: '3',
    step: 10,
    steps: 20,
  });
  expect(progress.detail).toMatch(/^\d+\.\d\d%$/);
  expect(progress.etaSeconds).toEqual(expect.any(Number));
  await run.finish({ images: 1 });
  expect(await client.next('closed')).toMatchObject({
    detail: 'Execution is done',
    jobId,
    state: 'succeeded',
  });
});

test('other values of the options mean nothing, and nothing new is sent', async () => {
  await using t = await startBridge({ env: { TIMEOUT_INTERVAL: '0.05' } });
  using client = await openSocket(`${t.wsUrl}/ws?clientId=one&events=1&previews=0`);
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  run.preview(jpeg);
  run.progress(10, 20, '3');
  await client.next('listening');
  await run.finish({ images: 1 });
  await client.closed;
  expect(client.binary).toEqual([]);
  for (const frame of client.frames) expect(Object.keys(frame)).toEqual(['status', 'details', 'detail']);
});
