import { setTimeout as delay } from 'node:timers/promises';

import { expect, test } from 'vitest';

import { startRig } from './_rig.ts';
import { waitUntil } from './_wait-until.ts';

test.each(['full', 'read-only'] as const)(
  'the store is %s: no submit is acknowledged, running jobs wait for it, and it recovers alone',
  { timeout: 60_000 },
  async (trouble) => {
    await using rig = await startRig({ backends: [{ stepMs: 50 }] });
    const before = rig.client({ kind: 'rest', workflow: 'steps' });
    await waitUntil('it to run', () => rig.prompts().length === 1);
    await rig.bridge.troubleStore(trouble);
    const refused = rig.client({ kind: 'rest', insists: false });
    const { end, acknowledgedAt } = await refused.done;
    expect(end).toMatchObject({ kind: 'refused' });
    expect([503, 507]).toContain(end?.kind === 'refused' ? end.status : 0);
    expect(acknowledgedAt).toBeUndefined();
    // Long enough for the running job to end while nothing can be written.
    await waitUntil('its prompt to end', async () => (await rig.backends[0]?.queue())?.running.length === 0);
    await delay(500);
    expect(before.record.end, 'told before it was written').toBeUndefined();
    expect((await rig.calls.get('/generation-count')).status).toBe(200);
    await rig.bridge.troubleStore('none');
    rig.client();
    expect(await rig.verdict()).toEqual([]);
    expect(before.record.end?.kind).toBe('succeeded');
  },
);

test('killed while the store is full: nothing acknowledged is lost', { timeout: 60_000 }, async () => {
  await using rig = await startRig({ backends: [{ stepMs: 50 }] });
  for (let job = 0; job < 3; job += 1) rig.client({ kind: job === 0 ? 'rest' : 'ws', workflow: 'steps' });
  await waitUntil('one to run', () => rig.prompts().length > 0);
  await waitUntil('all to be taken', () =>
    rig.records.every(({ acknowledgedAt }) => acknowledgedAt !== undefined),
  );
  await rig.bridge.troubleStore('full');
  const insisting = rig.client({ kind: 'rest' });
  await delay(1_000);
  expect(insisting.record.acknowledgedAt).toBeUndefined();
  await rig.bridge.kill9();
  await rig.bridge.start();
  expect(await rig.verdict()).toEqual([]);
  expect(rig.records.map(({ end }) => end?.kind)).toEqual(Array(4).fill('succeeded'));
});

test('a slow store: everything is slower, nothing is lost', { timeout: 60_000 }, async () => {
  await using rig = await startRig({ backends: [{}, {}] });
  await rig.bridge.troubleStore('slow');
  for (let job = 0; job < 6; job += 1) rig.client({ kind: job % 2 === 0 ? 'ws' : 'rest', workflow: 'steps' });
  await Promise.all(
    rig.records.map(() =>
      waitUntil('the end', () => rig.records.every(({ end }) => end), { withinMs: 40_000 }),
    ),
  );
  await rig.bridge.troubleStore('none');
  expect(await rig.verdict()).toEqual([]);
  expect(rig.records.map(({ end }) => end?.kind)).toEqual(Array(6).fill('succeeded'));
});
