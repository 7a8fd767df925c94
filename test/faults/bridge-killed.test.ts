import { setTimeout as delay } from 'node:timers/promises';

import { describe, expect, test } from 'vitest';

import { startRig } from './_rig.ts';
import type { Rig } from './_rig.ts';
import { waitUntil } from './_wait-until.ts';

const kinds = ['ws', 'rest'] as const;

/** Eight jobs, of which several run by now. */
async function underLoad(rig: Rig, jobs = 8): Promise<void> {
  for (let job = 0; job < jobs; job += 1)
    rig.client({ kind: kinds[job % 2] ?? 'ws', workflow: 'steps', steps: 20 });
  await waitUntil('every backend to work', () => rig.backends.every(({ started }) => started.length > 0));
  await waitUntil('every job to be taken', () =>
    rig.records.every(({ acknowledgedAt }) => acknowledgedAt !== undefined),
  );
}

function runsOf(rig: Rig, number: number | undefined): number {
  return rig.prompts().filter((prompt) => prompt.number === number).length;
}

describe('kill -9 of the bridge in the middle of jobs, and a start', () => {
  test('at once: running prompts are taken up again, not run twice', { timeout: 60_000 }, async () => {
    await using rig = await startRig({ backends: [{ stepMs: 80 }, { stepMs: 80 }] });
    await underLoad(rig);
    const running = rig.prompts().map(({ number }) => number);
    await rig.bridge.kill9();
    await rig.bridge.start();
    expect(await rig.verdict()).toEqual([]);
    expect(rig.records.map(({ end }) => end?.kind)).toEqual(Array(8).fill('succeeded'));
    expect(running.map((number) => runsOf(rig, number))).toEqual(running.map(() => 1));
  });

  test(
    'after the backends have finished: their results are found in the history',
    { timeout: 60_000 },
    async () => {
      await using rig = await startRig({ backends: [{ stepMs: 30 }, { stepMs: 30 }] });
      await underLoad(rig, 2);
      await rig.bridge.kill9();
      for (const backend of rig.backends) {
        await waitUntil('a backend to be done', async () => (await backend.queue()).running.length === 0);
      }
      await rig.bridge.start();
      expect(await rig.verdict()).toEqual([]);
      expect(rig.records.map(({ end }) => end?.kind)).toEqual(['succeeded', 'succeeded']);
      expect(rig.records.map(({ number }) => runsOf(rig, number))).toEqual([1, 1]);
    },
  );

  test('and of the backends as well: the jobs run again', { timeout: 60_000 }, async () => {
    await using rig = await startRig({ backends: [{ stepMs: 50 }, { stepMs: 50 }] });
    await underLoad(rig, 4);
    await rig.bridge.kill9();
    for (const backend of rig.backends) {
      await backend.kill9();
      await backend.start();
    }
    await rig.bridge.start();
    expect(await rig.verdict()).toEqual([]);
    expect(rig.records.map(({ end }) => end?.kind)).toEqual(Array(4).fill('succeeded'));
  });

  test('three times in a row', { timeout: 60_000 }, async () => {
    await using rig = await startRig({ backends: [{ stepMs: 50 }, { stepMs: 50 }] });
    await underLoad(rig, 6);
    for (let round = 0; round < 3; round += 1) {
      await rig.bridge.kill9();
      await rig.bridge.start();
      await delay(300);
    }
    expect(await rig.verdict()).toEqual([]);
    expect(rig.records.map(({ end }) => end?.kind)).toEqual(Array(6).fill('succeeded'));
  });

  test(
    'the job of a client that does not come back is given up after the grace period',
    { timeout: 60_000 },
    async () => {
      await using rig = await startRig({ backends: [{ stepMs: 600 }], env: { GRACE_SECONDS: '1' } });
      const client = rig.client({ kind: 'ws', workflow: 'steps', steps: 30 });
      await waitUntil('it to run', () => rig.prompts().length === 1);
      client.leave('reset');
      await rig.bridge.kill9();
      await rig.bridge.start();
      expect(await rig.verdict()).toEqual([]);
    },
  );
});

test(
  'SIGTERM under load: it ends within 10 s, and after the start nothing is lost',
  { timeout: 60_000 },
  async () => {
    await using rig = await startRig({ backends: [{ stepMs: 80 }, { stepMs: 80 }] });
    await underLoad(rig);
    const { code, signal, tookMs } = await rig.bridge.term();
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    expect(tookMs).toBeLessThan(10_000);
    await rig.bridge.start();
    expect(await rig.verdict()).toEqual([]);
    expect(rig.records.map(({ end }) => end?.kind)).toEqual(Array(8).fill('succeeded'));
  },
);

test('SIGSTOP of the bridge for 3 s: clients and jobs survive it', { timeout: 60_000 }, async () => {
  await using rig = await startRig({ backends: [{ stepMs: 50 }, { stepMs: 50 }] });
  await underLoad(rig, 4);
  rig.bridge.pause();
  await delay(3_000);
  rig.bridge.resume();
  expect(await rig.verdict()).toEqual([]);
  expect(rig.records.map(({ end }) => end?.kind)).toEqual(Array(4).fill('succeeded'));
});
