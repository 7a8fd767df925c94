import type { PromptRun } from '@comfy-bridge/comfy-sim';
import { expect, test } from 'vitest';

import { driveSim } from './_drive-sim.ts';
import { startRig } from './_rig.ts';
import { waitUntil } from './_wait-until.ts';

const outOfMemory = {
  type: 'torch.OutOfMemoryError',
  message: 'Allocation on device 0 would exceed allowed memory. (out of memory)',
  traceback: ['  File "/srv/ComfyUI/execution.py", line 328, in execute\n'],
};

test(
  'execution_error on the only backend: a clean reason, no traceback, no path',
  { timeout: 60_000 },
  async () => {
    await using rig = await startRig({ sims: [{}] });
    driveSim(rig.sims[0], (run) => run.fail(outOfMemory));
    const clients = [rig.client({ kind: 'ws' }), rig.client({ kind: 'rest' })];
    for (const { done } of clients) {
      const { end } = await done;
      expect(end).toEqual({ kind: 'failed', reason: expect.stringContaining('memory') });
    }
    expect(await rig.verdict()).toEqual([]);
  },
);

test('out of memory on one backend: tried once more on a bigger one', { timeout: 60_000 }, async () => {
  const gigabyte = 1024 ** 3;
  await using rig = await startRig({ sims: [{ vramTotal: 8 * gigabyte }, { vramTotal: 24 * gigabyte }] });
  const [small, big] = rig.sims;
  driveSim(small, (run) => run.fail(outOfMemory));
  driveSim(big, (run) => run.finish());
  const client = rig.client();
  expect((await client.done).end?.kind).toBe('succeeded');
  expect(small?.counters['POST /prompt']).toBe(1);
  expect(big?.counters['POST /prompt']).toBe(1);
  expect(await rig.verdict()).toEqual([]);
});

test(
  'a refused prompt: the input is named by our key, and the backend is not blamed',
  { timeout: 60_000 },
  async () => {
    await using rig = await startRig({ sims: [{}] });
    const [sim] = rig.sims;
    const nodeError = {
      errors: [
        {
          type: 'value_bigger_than_max',
          message: 'Value 99 bigger than max of 8',
          details: 'color',
          extra_info: { input_name: 'color', received_value: 99 },
        },
      ],
      dependent_outputs: ['4'],
      class_type: 'EmptyImage',
    };
    const error = {
      type: 'prompt_outputs_failed_validation',
      message: 'Prompt outputs failed validation',
      details: '',
      extra_info: {},
    };
    sim?.failNext('POST /prompt', {
      status: 400,
      body: JSON.stringify({ error, node_errors: { '1': nodeError } }),
    });
    const refused = await rig.client().done;
    expect(refused.end).toEqual({ kind: 'failed', reason: expect.stringContaining('1/color') });
    expect((await rig.calls.get('/readyz')).text).toContain('"ready":1,');
    const next = rig.client();
    await (await sim?.nextPrompt())?.finish();
    expect((await next.done).end?.kind).toBe('succeeded');
    expect(await rig.verdict()).toEqual([]);
  },
);

test(
  'it hangs at a step: after the inactivity limit it is interrupted there and done elsewhere',
  { timeout: 60_000 },
  async () => {
    await using rig = await startRig({
      sims: [{}, {}],
      env: { TIMEOUT_INTERVAL: '0.2', LIMIT_TIMEOUT_COUNT: '5' },
    });
    const stuck: PromptRun[] = [];
    for (const sim of rig.sims) {
      driveSim(sim, (run) => {
        if (stuck.length > 0) return run.finish();
        stuck.push(run);
        return run.progress(3, 10);
      });
    }
    const client = rig.client({ workflow: 'steps' });
    expect((await client.done).end).toEqual({ kind: 'succeeded', sha256: expect.any(String) });
    expect(stuck.map(({ isInterrupted }) => isInterrupted)).toEqual([true]);
    expect(rig.sims.map(({ counters }) => counters['POST /prompt'])).toEqual([1, 1]);
    expect(await rig.verdict()).toEqual([]);
  },
);

test(
  'a job many times longer than the limit finishes while it shows signs of life',
  { timeout: 60_000 },
  async () => {
    await using rig = await startRig({
      backends: [{ stepMs: 100 }],
      env: { TIMEOUT_INTERVAL: '0.1', LIMIT_TIMEOUT_COUNT: '5' },
    });
    const clients = (['ws', 'rest'] as const).map((kind) =>
      rig.client({ kind, workflow: 'steps', steps: 30 }),
    );
    const ends = await Promise.all(clients.map(({ done }) => done));
    expect(ends.map(({ end }) => end?.kind)).toEqual(['succeeded', 'succeeded']);
    expect(await rig.verdict()).toEqual([]);
  },
);

test(
  'a stock ComfyUI: a waiting prompt is taken off its queue, and its owner’s prompt goes on',
  { timeout: 60_000 },
  async () => {
    await using rig = await startRig({ sims: [{ features: { targetedInterrupt: false, jobsApi: false } }] });
    const [sim] = rig.sims;
    const foreign = sim?.addForeignPrompt();
    await waitUntil('its prompt to run', () => sim?.queue().running.length === 1);
    const waiting = rig.client({ kind: 'rest' });
    await waitUntil('our prompt to wait there', () => sim?.queue().pending.length === 1);
    await waiting.cancel();
    expect((await waiting.done).end?.kind).toBe('cancelled');
    await waitUntil('our prompt to be gone', () => sim?.queue().pending.length === 0);
    expect(sim?.queue().running).toEqual([foreign?.promptId]);
    expect(sim?.counters['POST /interrupt'] ?? 0).toBe(0);
    await foreign?.finish();

    const running = rig.client({ kind: 'rest', workflow: 'steps' });
    const run = await sim?.nextPrompt();
    await running.cancel();
    await run?.interrupted;
    expect((await running.done).end?.kind).toBe('cancelled');
    expect(await rig.verdict()).toEqual([]);
  },
);
