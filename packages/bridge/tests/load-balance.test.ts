import { expect, test } from 'vitest';

import { ended, proveBackends, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';

const small = { workflow: 'upscale', '2/scale_by': 1 };

test('jobs wait in the bridge: a ComfyUI never gets more than one to run and one to follow', async () => {
  await using t = await startBridge({ sims: 2 });
  await proveBackends(t);
  for (let job = 0; job < 8; job += 1) await submit(t, `c${job}`, small);
  let deepest = 0;
  for (const sim of t.sims) {
    void (async () => {
      for (let run = await sim.nextPrompt(); ; run = await sim.nextPrompt()) {
        for (const { running, pending } of t.sims.map((each) => each.queue())) {
          deepest = Math.max(deepest, running.length + pending.length);
        }
        await run.finish({ images: 1 });
      }
      // Ends when the simulated backend is closed.
    })().catch(() => {});
  }
  await Promise.all(Array.from({ length: 8 }, (_, job) => ended(t, `c${job}`)));
  expect(deepest).toBe(2);
  for (const { counters } of t.sims) expect(counters['POST /prompt']).toBeGreaterThanOrEqual(3);
});

test('one that is new, or back, gets a single job until that has gone well', async () => {
  await using t = await startBridge();
  for (const clientId of ['one', 'two', 'three']) await submit(t, clientId);
  const first = await t.sim.nextPrompt();
  expect(t.sim.queue().pending).toEqual([]);
  await first.finish({ images: 1 });
  await t.sim.nextPrompt();
  await expect.poll(() => t.sim.queue().pending.length).toBe(1);
});

test('BACKEND_SLOTS=1: one at a time', async () => {
  await using t = await startBridge({ env: { BACKEND_SLOTS: '1' } });
  for (let job = 0; job < 3; job += 1) await submit(t, `c${job}`, small);
  for (let job = 0; job < 3; job += 1) {
    const run = await t.sim.nextPrompt();
    expect(t.sim.queue()).toEqual({ running: [run.promptId], pending: [] });
    await run.finish({ images: 1 });
  }
  await ended(t, 'c2');
});

test('jobs run in the order in which they came', async () => {
  await using t = await startBridge();
  for (let job = 0; job < 6; job += 1) await submit(t, `c${job}`, { '6/text': String(job) });
  for (let job = 0; job < 6; job += 1) {
    const run = await t.sim.nextPrompt();
    expect(run.prompt['6']?.inputs['text']).toBe(String(job));
    await run.finish({ images: 1 });
  }
  await ended(t, 'c5');
});

test('a slow ComfyUI gets fewer jobs than a quick one', async () => {
  await using t = await startBridge({
    sims: [
      { mode: 'free', runMs: 400 },
      { mode: 'free', runMs: 40 },
    ],
  });
  for (let job = 0; job < 24; job += 1) await submit(t, `c${job}`, small);
  await Promise.all(Array.from({ length: 24 }, (_, job) => ended(t, `c${job}`)));
  const [slow = 0, quick = 0] = t.sims.map(({ counters }) => counters['POST /prompt']);
  expect(slow + quick).toBe(24);
  expect(quick).toBeGreaterThan(slow * 2);
});

test("a ComfyUI that is busy with its owner's prompts is left alone while another is free", async () => {
  await using t = await startBridge({ sims: 2 });
  const foreign = [t.sim.addForeignPrompt(), t.sim.addForeignPrompt()];
  await expect.poll(() => t.bridge.fleet.backends[0]?.queueRemaining).toBe(2);
  await submit(t, 'one');
  await (await t.sims[1]?.nextPrompt())?.finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({ state: { status: 'succeeded' } });
  expect(t.sim.counters['POST /prompt']).toBeUndefined();
  for (const prompt of foreign) await prompt.finish();
});
