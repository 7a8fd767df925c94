import type { SimFeatures } from '@comfy-bridge/comfy-sim';
import { expect, test } from 'vitest';

import { ended, proveBackends, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import { openSocket } from './_ws-client.ts';

const versions: [string, Partial<SimFeatures>][] = [
  [
    'v0.3.30: no prompt_id of ours, no targeted interrupt, old previews',
    { previewMetadata: false, clientPromptId: false, targetedInterrupt: false },
  ],
  ['v0.3.50: an interrupt hits whatever runs', { targetedInterrupt: false }],
  ['v0.3.64', {}],
  ['2026: jobs API', { jobsApi: true }],
];

test.each(versions)(
  '%s: a job runs with progress and previews, and is delivered',
  async (_version, features) => {
    await using t = await startBridge({ sim: { features } });
    using client = await openSocket(`${t.wsUrl}/ws?clientId=one&previews=1`);
    await submit(t, 'one');
    const run = await t.sim.nextPrompt();
    run.progress(10, 20, '3');
    run.preview();
    await client.nextBinary();
    await client.next('progress');
    await run.finish({ images: 1 });
    expect(await client.next('closed')).toMatchObject({ status: 'closed' });
    expect((await t.get('/history?clientId=one')).status).toBe(200);
    expect(await ended(t, 'one')).toMatchObject({ attempt: 1 });
  },
);

test.each(versions)(
  '%s: a running and a waiting job are canceled, each alone',
  async (_version, features) => {
    await using t = await startBridge({ sim: { features } });
    await proveBackends(t);
    await submit(t, 'runs');
    const run = await t.sim.nextPrompt();
    run.progress(1, 20, '3');
    await submit(t, 'waits');
    await expect.poll(() => t.sim.queue().pending.length).toBe(1);
    await t.post('/interrupt?clientId=waits');
    expect(await ended(t, 'waits')).toMatchObject({ state: { status: 'canceled' } });
    expect(t.sim.queue().pending).toEqual([]);
    expect(run.isInterrupted).toBe(false);
    await t.post('/interrupt?clientId=runs');
    expect(await ended(t, 'runs')).toMatchObject({ state: { status: 'canceled' } });
    expect(await run.done).toBe('interrupted');
    expect(t.sim.queue()).toEqual({ running: [], pending: [] });
  },
);

test.each(versions)(
  '%s: a restart between the submit and the start loses no job',
  async (_version, features) => {
    await using t = await startBridge({ sim: { features } });
    const foreign = t.sim.addForeignPrompt();
    await submit(t, 'one');
    await expect.poll(() => t.sim.queue().pending.length).toBe(1);
    await t.sim.restart();
    await (await t.sim.nextPrompt()).finish({ images: 1 });
    expect(await ended(t, 'one')).toMatchObject({ attempt: 2, state: { status: 'succeeded' } });
    await foreign.finish();
  },
);
