import type { CompatFrame } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { ended, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import { startWorld } from './_world.ts';
import { openSocket } from './_ws-client.ts';
import type { TestSocket } from './_ws-client.ts';

const quick = { TIMEOUT_INTERVAL: '0.05', GRACE_SECONDS: 'keep' };
const jpeg = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.alloc(200, 7)]);

const seqsOf = (frames: readonly CompatFrame[]) =>
  frames.flatMap(({ seq }) => (seq === undefined ? [] : [seq]));
const lastSeq = ({ frames }: TestSocket) => seqsOf(frames).at(-1) ?? 0;

/** Reads frames until one tells that step. */
async function untilStep(client: TestSocket, step: number): Promise<CompatFrame> {
  let frame = await client.next('progress');
  while (frame.step !== step) frame = await client.next('progress');
  return frame;
}

/** What is told within three heartbeats, but for themselves. */
async function toldUnasked(client: TestSocket): Promise<string[]> {
  for (let beat = 0; beat < 3; beat += 1) await client.next('listening');
  return client.frames.map(({ status }) => status).filter((status) => status !== 'listening');
}

test('the numbers of the frames rise, from the first word of a job to its end', async () => {
  await using t = await startBridge({ env: quick });
  using client = await openSocket(`${t.wsUrl}/ws?clientId=one&events=2`);
  using plain = await openSocket(`${t.wsUrl}/ws?clientId=one`);
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  for (const step of [3, 9, 15]) {
    run.progress(step, 20, '3');
    await untilStep(client, step);
  }
  await run.finish({ images: 1 });
  await Promise.all([client.closed, plain.closed]);
  const seqs = seqsOf(client.frames);
  expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
  expect(new Set(seqs).size).toBeGreaterThan(4);
  expect(client.frames.at(-1)).toMatchObject({ status: 'closed', seq: Math.max(...seqs) });
  expect(seqsOf(plain.frames)).toEqual([]);
});

test('who comes back with the last number is told nothing again, and what is new', async () => {
  await using t = await startBridge({ env: quick });
  using first = await openSocket(`${t.wsUrl}/ws?clientId=one&events=2`);
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  run.progress(5, 20, '3');
  await untilStep(first, 5);
  // The change of state is told right behind the first progress.
  await expect
    .poll(async () => (await t.bridge.ledger.latestOf('one'))?.state)
    .toMatchObject({ phase: 'executing' });
  await first.next('listening');
  const heard = lastSeq(first);
  first.socket.terminate();
  using second = await openSocket(`${t.wsUrl}/ws?clientId=one&events=2&after=${heard}`);
  expect(await toldUnasked(second)).toEqual(['connected']);
  run.progress(6, 20, '3');
  expect((await untilStep(second, 6)).seq).toBeGreaterThan(heard);
  await run.finish({ images: 1 });
  expect(await second.next('closed')).toMatchObject({ state: 'succeeded' });
});

test('an end that was missed is told to who comes back, as often as the number says so, and not to who heard it', async () => {
  await using t = await startBridge({ env: quick });
  using first = await openSocket(`${t.wsUrl}/ws?clientId=one&events=2`);
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  run.progress(5, 20, '3');
  await untilStep(first, 5);
  first.socket.terminate();
  await run.finish({ images: 1 });
  await ended(t, 'one');
  let end = 0;
  for (let time = 0; time < 2; time += 1) {
    using back = await openSocket(`${t.wsUrl}/ws?clientId=one&events=2&after=${lastSeq(first)}`);
    const told = await back.next('closed');
    end = told.seq ?? 0;
    await back.closed;
  }
  expect(end).toBeGreaterThan(lastSeq(first));
  using late = await openSocket(`${t.wsUrl}/ws?clientId=one&after=${end}`);
  expect(await toldUnasked(late)).toEqual(['connected']);
});

test('numbers go on rising over a restart, so that one of before still counts', async () => {
  await using world = await startWorld();
  const { sim } = world;
  let heard = 0;
  let run: Awaited<ReturnType<typeof sim.nextPrompt>>;
  {
    await using t = await world.start();
    using client = await openSocket(`${t.wsUrl}/ws?clientId=one&events=2`);
    await submit(t, 'one');
    run = await sim.nextPrompt();
    run.progress(5, 20, '3');
    await untilStep(client, 5);
    await t.bridge.close();
    await client.closed;
    heard = lastSeq(client);
  }
  expect(heard).toBeGreaterThan(0);
  await using t = await world.start();
  await expect.poll(() => sim.sockets()).toBeGreaterThan(0);
  using client = await openSocket(`${t.wsUrl}/ws?clientId=one&events=2&after=${heard}`);
  run.progress(7, 20, '3');
  expect((await untilStep(client, 7)).seq).toBeGreaterThan(heard);
  await run.finish({ images: 1 });
  await client.next('closed');
  const seqs = seqsOf(client.frames);
  expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
  expect(Math.min(...seqs)).toBeGreaterThan(heard);
});

test('previews=1: who comes late sees the newest picture at once', async () => {
  await using t = await startBridge({ env: quick });
  using first = await openSocket(`${t.wsUrl}/ws?clientId=one&previews=1`);
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  run.preview(Buffer.concat([jpeg, Buffer.from('old')]));
  run.preview(jpeg);
  await first.nextBinary();
  await first.nextBinary();
  using late = await openSocket(`${t.wsUrl}/ws?clientId=one&previews=1`);
  expect((await late.nextBinary()).equals(jpeg)).toBe(true);
  using plain = await openSocket(`${t.wsUrl}/ws?clientId=one`);
  await run.finish({ images: 1 });
  await Promise.all([late.closed, plain.closed]);
  expect(late.binary).toHaveLength(1);
  expect(plain.binary).toEqual([]);
});
