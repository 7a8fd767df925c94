import { once } from 'node:events';

import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';

import { accessModes } from '../../packages/bridge/tests/_access.ts';
import { createCalls } from './_calls.ts';
import type { Calls } from './_calls.ts';
import { soonMs, startPulse } from './_pulse.ts';
import { startRig } from './_rig.ts';
import type { Rig } from './_rig.ts';
import { thorough } from './_settings.ts';
import { waitUntil } from './_wait-until.ts';

const megabyte = 1024 * 1024;

async function closeCode(rig: Rig, clientId: string, bytes: number, count: number): Promise<number> {
  const socket = new WebSocket(`ws://127.0.0.1:${rig.bridge.port}/ws?clientId=${clientId}`, {
    perMessageDeflate: false,
    headers: rig.credentials,
  });
  socket.on('error', () => {});
  await once(socket, 'open');
  const closed = once(socket, 'close');
  const message = Buffer.alloc(bytes, 0x20);
  for (let sent = 0; sent < count && socket.readyState === socket.OPEN; sent += 1) socket.send(message);
  const [code]: unknown[] = await closed;
  return Number(code);
}

describe.each(accessModes)('%s', (access) => {
  test('100 clients that only poll: none is lost', { timeout: 120_000 }, async () => {
    await using rig = await startRig({ access, backends: Array.from({ length: 2 }, () => ({ runMs: 20 })) });
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
        access,
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
      await using rig = await startRig({ access, backends: [{}] });
      await Promise.all(Array.from({ length: 10 }, () => rig.client().done));
      const live = await rig.bridge.liveMemory();
      const before = (await rig.bridge.figures()).rss;
      const codes = [
        await closeCode(rig, 'large', 64 * megabyte, 1),
        await closeCode(rig, 'many', 16, 5_000),
      ];
      expect(codes).toEqual([1009, 1008]);
      // What is still on its way is read and dropped; the garbage of that goes with the next collection.
      expect((await rig.bridge.figures()).rss - before).toBeLessThan(100 * megabyte);
      expect((await rig.bridge.liveMemory()) - live).toBeLessThan(5 * megabyte);
      rig.client();
      expect(await rig.verdict()).toEqual([]);
    },
  );

  test(
    'clients that do not read: they cost little, and the others notice nothing',
    { timeout: 60_000 },
    async () => {
      await using rig = await startRig({ access, backends: [{ stepMs: 5 }, { stepMs: 5 }] });
      const deaf = await Promise.all(
        Array.from({ length: 10 }, async (_, index) => {
          const socket = new WebSocket(
            `ws://127.0.0.1:${rig.bridge.port}/ws?clientId=deaf-${index}&events=2&previews=1`,
            { headers: rig.credentials },
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
      await using rig = await startRig({ access, backends: [{}] });
      const socket = new WebSocket(`ws://127.0.0.1:${rig.bridge.port}/ws?clientId=cross`, {
        origin: 'https://evil.example',
        headers: rig.credentials,
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

  test.skipIf(!thorough)(
    'ten thousand jobs within seconds: taken up to the cap, 429 beyond it, and the bridge answers soon',
    { timeout: 300_000 },
    async () => {
      await using rig = await startRig({
        access,
        backends: [{ runMs: 1 }, { runMs: 1 }],
        env: { MAX_QUEUED_JOBS: '200' },
      });
      await using pulse = startPulse(rig.bridge);
      const statuses = new Map<number, number>();
      for (let round = 0; round < 500; round += 1) {
        const answers = await Promise.all(
          Array.from({ length: 20 }, (_, at) =>
            rig.calls.post(`/generate-based-workflow?clientId=${round}-${at}`, { workflow: 'tiny' }),
          ),
        );
        for (const { status } of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
      expect(new Set(statuses.keys())).toEqual(new Set([200, 429]));
      expect(statuses.get(200)).toBeGreaterThanOrEqual(200);
      expect(pulse.report().p50).toBeLessThan(5 * soonMs);
      await waitUntil('all to end', async () => (await rig.bridge.leftFiles()).unfinished === 0, {
        withinMs: 60_000,
        everyMs: 500,
      });
    },
  );
});

// Without keys whoever knows a clientId is its client, and an address is one caller.
describe('strangers and neighbours, keys on', () => {
  test(
    'a clientId of another key is like an unknown one, and without a key it is 401',
    { timeout: 60_000 },
    async () => {
      await using rig = await startRig({ access: 'keys on', backends: [{ stepMs: 40 }] });
      const client = rig.client({ workflow: 'steps', steps: 20 });
      await waitUntil('it to run', () => rig.prompts().length === 1);
      const theirs = await rig.stranger();
      const known = client.record.clientId;
      const ask = async (calls: Calls, clientId: string) => {
        const answers = [
          await calls.get(`/history?clientId=${clientId}`),
          await calls.get(`/execution-info?clientId=${clientId}`),
          await calls.post(`/interrupt?clientId=${clientId}`),
        ];
        return answers.map(({ status, text }) => [status, text.replaceAll(clientId, 'X')]);
      };
      expect(await ask(theirs, known)).toEqual(await ask(theirs, 'unknown'));
      await using nobody = createCalls(() => rig.bridge.url);
      expect((await ask(nobody, known)).map(([status]) => status)).toEqual([401, 401, 401]);
      const socket = new WebSocket(`ws://127.0.0.1:${rig.bridge.port}/ws?clientId=${known}`);
      const [error]: unknown[] = await once(socket, 'error');
      expect(String(error)).toContain('401');
      expect((await client.done).end?.kind).toBe('succeeded');
      expect(await ask(theirs, known)).toEqual(await ask(theirs, 'unknown'));
      expect(await rig.verdict()).toEqual([]);
    },
  );

  test('one key floods: the jobs of another do not wait behind them', { timeout: 60_000 }, async () => {
    await using rig = await startRig({ access: 'keys on', backends: [{ runMs: 100 }] });
    const submit = (calls: Calls, clientId: string) =>
      calls.post(`/generate-based-workflow?clientId=${clientId}`, { workflow: 'tiny' });
    const flood = await Promise.all(
      Array.from({ length: 60 }, (_, index) => submit(rig.calls, `flood-${index}`)),
    );
    expect(new Set(flood.map(({ status }) => status))).toEqual(new Set([200]));
    const theirs = await rig.stranger();
    expect((await submit(theirs, 'one')).status).toBe(200);
    await waitUntil('their job', async () => (await theirs.get('/history?clientId=one')).status === 200, {
      withinMs: 20_000,
    });
    // What was first has not ended yet.
    expect((await rig.bridge.leftFiles()).unfinished).toBeGreaterThan(20);
  });
});
