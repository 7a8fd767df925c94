import { setTimeout as delay } from 'node:timers/promises';

import { describe, expect, test } from 'vitest';

import { accessModes } from '../../packages/bridge/tests/_access.ts';
import { startRig } from './_rig.ts';
import { thorough } from './_settings.ts';
import { waitUntil } from './_wait-until.ts';

const long = { workflow: 'steps', steps: 30 } as const;

describe.each(accessModes)('%s', (access) => {
  describe.each(['reset', 'close'] as const)('a client leaves in the middle of its job (%s)', (how) => {
    test('without a grace period its backend is interrupted within 2 s', { timeout: 60_000 }, async () => {
      await using rig = await startRig({ access, backends: [{ stepMs: 300 }], env: { GRACE_SECONDS: '0' } });
      const client = rig.client(long);
      await waitUntil('it to run', () => rig.prompts().length === 1);
      await delay(300);
      const leftAt = Date.now();
      client.leave(how);
      await waitUntil('the interrupt', () => rig.backends[0]?.started[0]?.outcome === 'interrupted', {
        withinMs: 5_000,
      });
      expect(Date.now() - leftAt).toBeLessThan(2_000);
      expect(await rig.verdict()).toEqual([]);
    });

    test('with GRACE_SECONDS=keep the job goes on, and its result waits', { timeout: 60_000 }, async () => {
      await using rig = await startRig({
        access,
        backends: [{ stepMs: 50 }],
        env: { GRACE_SECONDS: 'keep' },
      });
      const client = rig.client({ workflow: 'steps' });
      await waitUntil('it to run', () => rig.prompts().length === 1);
      client.leave(how);
      await client.done;
      await waitUntil('it to be done', async () => (await rig.bridge.leftFiles()).unfinished === 0);
      const answer = await rig.calls.get(`/history?clientId=${client.record.clientId}`);
      expect(answer.status).toBe(200);
      expect(await rig.verdict()).toEqual([]);
    });
  });

  test('a queued client leaves: its job is dropped and never started', { timeout: 60_000 }, async () => {
    await using rig = await startRig({
      access,
      backends: [{ stepMs: 50 }],
      env: { GRACE_SECONDS: '0', BACKEND_SLOTS: '1' },
    });
    const first = rig.client({ workflow: 'steps', steps: 20 });
    await waitUntil('the first to run', () => rig.prompts().length === 1);
    const queued = rig.client();
    await queued.submitted;
    queued.leave('close');
    await first.done;
    const last = rig.client();
    await last.done;
    expect(await rig.verdict()).toEqual([]);
    expect(rig.prompts().map(({ number }) => number)).toEqual([first.record.number, last.record.number]);
  });

  test(
    'a half-open client is found by its missing pongs within 30 s',
    { timeout: 90_000, skip: !thorough },
    async () => {
      await using rig = await startRig({
        access,
        backends: [{ stepMs: 1_500 }],
        front: true,
        env: { GRACE_SECONDS: '0' },
      });
      const client = rig.client(long);
      await waitUntil('it to run', () => rig.prompts().length === 1);
      const cutAt = Date.now();
      await rig.front?.set({ holds: ['up', 'down'] });
      client.record.cancelAsked = true;
      await waitUntil('the interrupt', () => rig.backends[0]?.started[0]?.outcome === 'interrupted', {
        withinMs: 40_000,
      });
      expect(Date.now() - cutAt).toBeLessThan(30_000);
      await rig.front?.set();
      client.leave('reset');
      expect(await rig.verdict()).toEqual([]);
    },
  );

  describe('a client whose connection breaks comes back within the grace period', () => {
    test.each(['reset', 'close'] as const)(
      'after a %s its job goes on and it hears the rest',
      { timeout: 60_000 },
      async (how) => {
        await using rig = await startRig({ access, backends: [{ stepMs: 60 }], env: { GRACE_SECONDS: '5' } });
        const client = rig.client({ workflow: 'steps', steps: 30, extended: true });
        await waitUntil('progress', () => client.record.frames.some(({ status }) => status === 'progress'));
        for (let round = 0; round < 3; round += 1) {
          client.disconnect(how);
          await waitUntil('the next socket', () => (client.record.frames.at(-1)?.socket ?? 0) > round + 1);
        }
        expect((await client.done).end?.kind).toBe('succeeded');
        const seqs = client.record.frames
          .map(({ extras }) => extras['seq'])
          .filter((seq) => typeof seq === 'number');
        expect(seqs.length).toBeGreaterThan(0);
        expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
        expect(rig.prompts()).toHaveLength(1);
        expect(await rig.verdict()).toEqual([]);
      },
    );

    test('while it was away its job ended: it is told when it is back', { timeout: 60_000 }, async () => {
      await using rig = await startRig({
        access,
        backends: [{ stepMs: 30 }],
        front: true,
        env: { GRACE_SECONDS: '20' },
      });
      const client = rig.client({ workflow: 'steps' });
      await waitUntil('it to run', () => rig.prompts().length === 1);
      await rig.front?.set({ refuses: true });
      rig.front?.cut();
      await waitUntil('it to be done', async () => (await rig.bridge.leftFiles()).unfinished === 0);
      await rig.front?.set();
      expect((await client.done).end?.kind).toBe('succeeded');
      expect(
        client.record.frames.some(({ status }) => status === 'closed'),
        'told by its new socket',
      ).toBe(true);
      expect(await rig.verdict()).toEqual([]);
    });

    test(
      'the end was said into a connection that was dead already: it is said again',
      { timeout: 60_000 },
      async () => {
        await using rig = await startRig({
          access,
          backends: [{ stepMs: 50 }],
          front: true,
          env: { GRACE_SECONDS: '20' },
        });
        const client = rig.client({ workflow: 'steps' });
        await waitUntil('it to run', () => rig.prompts().length === 1);
        await rig.front?.set({ holds: ['down'] });
        await waitUntil('it to be done', async () => (await rig.bridge.leftFiles()).unfinished === 0);
        await delay(200);
        rig.front?.cut();
        await rig.front?.set();
        expect((await client.done).end?.kind).toBe('succeeded');
        expect(
          client.record.frames.some(({ status }) => status === 'closed'),
          'told by its new socket',
        ).toBe(true);
        expect(await rig.verdict()).toEqual([]);
      },
    );
  });
});
