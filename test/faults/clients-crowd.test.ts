import { once } from 'node:events';

import { expect, test } from 'vitest';
import { WebSocket } from 'ws';

import { soonMs, startPulse } from './_pulse.ts';
import { startRig } from './_rig.ts';
import { thorough } from './_settings.ts';
import { waitUntil } from './_wait-until.ts';

const megabyte = 1024 * 1024;

test('100 clients that only poll: none is lost', { timeout: 120_000 }, async () => {
  await using rig = await startRig({ backends: Array.from({ length: 2 }, () => ({ runMs: 20 })) });
  await using pulse = startPulse(rig.bridge);
  for (let job = 0; job < 100; job += 1) rig.client({ kind: 'rest', pollMs: 250 });
  await Promise.all(
    rig.records.map(() =>
      waitUntil('all', () => rig.records.every(({ end }) => end), { withinMs: 60_000, everyMs: 200 }),
    ),
  );
  expect(rig.records.filter(({ end }) => end?.kind !== 'succeeded')).toEqual([]);
  // A hundred pollers are one process with the one that measures, and share two cores with the bridge.
  expect(pulse.report().p50).toBeLessThan(5 * soonMs);
  expect(await rig.verdict()).toEqual([]);
});

test(
  'more jobs than may wait: 429 with Retry-After, and every one that was taken ends well',
  { timeout: 120_000 },
  async () => {
    const limit = thorough ? 500 : 100;
    await using rig = await startRig({
      backends: [{ runMs: 10 }, { runMs: 10 }],
      env: { MAX_QUEUED_JOBS: String(limit) },
    });
    await Promise.all(rig.backends.map(async (backend) => backend.pause()));
    await rig.untilReady(0);
    const flood = Array.from({ length: limit * 2 }, (_, index) =>
      rig.client({ kind: 'rest', insists: false, pollMs: 500, clientId: `flood-${index}` }),
    );
    const taken = (await Promise.all(flood.map(({ submitted }) => submitted))).filter(Boolean).length;
    expect(taken).toBe(limit);
    const refusals = flood.flatMap(({ record }) =>
      record.end?.kind === 'refused' ? [record.end.status] : [],
    );
    expect(new Set(refusals)).toEqual(new Set([429]));
    const answer = await rig.calls.post('/generate-based-workflow?clientId=one-more', { workflow: 'tiny' });
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    for (const backend of rig.backends) backend.resume();
    expect(await rig.verdict()).toEqual([]);
  },
);

test(
  'a flood of messages and a frame of 64 MB: closed with 1008 and 1009, memory stays',
  { timeout: 60_000 },
  async () => {
    await using rig = await startRig({ backends: [{}] });
    await Promise.all(Array.from({ length: 10 }, () => rig.client().done));
    const live = await rig.bridge.liveMemory();
    const before = (await rig.bridge.figures()).rss;
    const codes = [
      await closeCode(rig.bridge.port, 'large', 64 * megabyte, 1),
      await closeCode(rig.bridge.port, 'many', 16, 5_000),
    ];
    expect(codes).toEqual([1009, 1008]);
    // What is still on its way is read and dropped; the garbage of that goes with the next collection.
    expect((await rig.bridge.figures()).rss - before).toBeLessThan(100 * megabyte);
    expect((await rig.bridge.liveMemory()) - live).toBeLessThan(5 * megabyte);
    rig.client();
    expect(await rig.verdict()).toEqual([]);
  },
);

async function closeCode(port: number, clientId: string, bytes: number, count: number): Promise<number> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws?clientId=${clientId}`, {
    perMessageDeflate: false,
  });
  socket.on('error', () => {});
  await once(socket, 'open');
  const closed = once(socket, 'close');
  const message = Buffer.alloc(bytes, 0x20);
  for (let sent = 0; sent < count && socket.readyState === socket.OPEN; sent += 1) socket.send(message);
  const [code]: unknown[] = await closed;
  return Number(code);
}

test(
  'clients that do not read: they cost little, and the others notice nothing',
  { timeout: 60_000 },
  async () => {
    await using rig = await startRig({ backends: [{ stepMs: 5 }, { stepMs: 5 }] });
    const deaf = await Promise.all(
      Array.from({ length: 10 }, async (_, index) => {
        const socket = new WebSocket(
          `ws://127.0.0.1:${rig.bridge.port}/ws?clientId=deaf-${index}&events=2&previews=1`,
        );
        await once(socket, 'open');
        socket.pause();
        return socket;
      }),
    );
    for (const index of deaf.keys()) {
      await rig.calls.post(`/generate-based-workflow?clientId=deaf-${index}`, { workflow: 'steps' });
    }
    for (let job = 0; job < 6; job += 1) rig.client({ workflow: 'steps' });
    await Promise.all(
      rig.records.map(() =>
        waitUntil('all', () => rig.records.every(({ end }) => end), { withinMs: 40_000 }),
      ),
    );
    expect(rig.records.map(({ end }) => end?.kind)).toEqual(Array(6).fill('succeeded'));
    for (const [index, socket] of deaf.entries()) {
      socket.resume();
      await waitUntil(
        'its result',
        async () => (await rig.calls.get(`/history?clientId=deaf-${index}`)).status === 200,
      );
      socket.terminate();
    }
    expect(await rig.verdict()).toEqual([]);
  },
);

test(
  'a WebSocket of a page of another origin is refused, and a stranger’s clientId is like an unknown one',
  { timeout: 60_000 },
  async () => {
    await using rig = await startRig({ backends: [{}] });
    const socket = new WebSocket(`ws://127.0.0.1:${rig.bridge.port}/ws?clientId=cross`, {
      origin: 'https://evil.example',
    });
    const [error]: unknown[] = await once(socket, 'error');
    expect(String(error)).toContain('403');
    const answers = await Promise.all([
      rig.calls.get('/history?clientId=not-mine'),
      rig.calls.get('/execution-info?clientId=not-mine'),
      rig.calls.post('/interrupt?clientId=not-mine'),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([204, 400, 400]);
    rig.client();
    expect(await rig.verdict()).toEqual([]);
  },
);
