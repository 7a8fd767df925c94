import { setTimeout as delay } from 'node:timers/promises';

import { describe, expect, test } from 'vitest';

import type { Direction } from './_fault-proxy.ts';
import { startRig } from './_rig.ts';
import { waitUntil } from './_wait-until.ts';

describe.each<[string, Direction[]]>([
  ['both ways', ['up', 'down']],
  ['on the way to the backend', ['up']],
  ['on the way back', ['down']],
])('the network to one backend is cut %s', (_how, holds) => {
  test(
    'its job is done elsewhere; when it is back, nothing is told or delivered twice',
    { timeout: 60_000 },
    async () => {
      await using rig = await startRig({ backends: [{ stepMs: 50 }, { stepMs: 50 }], links: true });
      for (let job = 0; job < 4; job += 1)
        rig.client({ kind: job % 2 === 0 ? 'ws' : 'rest', workflow: 'steps' });
      await waitUntil('both to work', () => rig.backends.every(({ started }) => started.length > 0));
      await rig.links[0]?.set({ holds });
      await waitUntil('every job to end', () => rig.records.every(({ end }) => end !== undefined), {
        withinMs: 45_000,
      });
      await rig.links[0]?.set();
      expect(await rig.verdict()).toEqual([]);
      expect(rig.records.map(({ end }) => end?.kind)).toEqual(Array(4).fill('succeeded'));
      await rig.untilReady(2);
    },
  );

  test(
    'before the submit: the answer to /prompt may be lost, the job is not',
    { timeout: 60_000 },
    async () => {
      await using rig = await startRig({ backends: [{ stepMs: 20 }, { stepMs: 20 }], links: true });
      await rig.links[0]?.set({ holds });
      for (let job = 0; job < 4; job += 1)
        rig.client({ kind: job % 2 === 0 ? 'ws' : 'rest', workflow: 'steps' });
      await waitUntil('every job to end', () => rig.records.every(({ end }) => end !== undefined), {
        withinMs: 45_000,
      });
      await rig.links[0]?.set();
      expect(await rig.verdict()).toEqual([]);
      expect(rig.records.map(({ end }) => end?.kind)).toEqual(Array(4).fill('succeeded'));
    },
  );
});

test(
  'every connection to the backends is reset again and again: jobs end well',
  { timeout: 60_000 },
  async () => {
    await using rig = await startRig({ backends: [{ stepMs: 50 }, { stepMs: 50 }], links: true });
    for (let job = 0; job < 6; job += 1)
      rig.client({ kind: job % 2 === 0 ? 'ws' : 'rest', workflow: 'steps' });
    for (let round = 0; round < 8; round += 1) {
      await delay(200);
      for (const link of rig.links) link.cut();
    }
    expect(await rig.verdict()).toEqual([]);
    expect(rig.records.map(({ end }) => end?.kind)).toEqual(Array(6).fill('succeeded'));
  },
);

test('a slow, thin line to the backends: jobs end well', { timeout: 60_000 }, async () => {
  await using rig = await startRig({ backends: [{}, {}], links: true });
  for (const link of rig.links) await link.set({ delayMs: 50, bytesPerSecond: 100_000 });
  for (let job = 0; job < 6; job += 1) rig.client({ kind: job % 2 === 0 ? 'ws' : 'rest', workflow: 'steps' });
  expect(await rig.verdict()).toEqual([]);
  expect(rig.records.map(({ end }) => end?.kind)).toEqual(Array(6).fill('succeeded'));
});
