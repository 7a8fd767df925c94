import { startSim } from '@comfy-bridge/comfy-sim';
import type { PromptRun, Sim } from '@comfy-bridge/comfy-sim';
import { expect, test } from 'vitest';

import { describeBackends, describeJob } from './_donors.ts';
import { ended, expectNoSecrets, proveBackends, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';

const never = { PROBE_INTERVAL: '60' };
const until = '2031-05-04T06:00:00.000Z';

test('a job whose machine is paused by its owner runs elsewhere at once: no try, no mark, no failure', async () => {
  await using t = await startBridge({ sims: [{ donor: {} }, {}], env: { MAX_ATTEMPTS: '1', ...never } });
  const [lent, own] = t.sims;
  await submit(t, 'one');
  const run = await lent?.nextPrompt();
  run?.progress(5, 20, '3');
  lent?.donor.pause({ reason: 'owner-work' });
  await (await own?.nextPrompt())?.finish({ images: 1 });
  expect(run?.isInterrupted).toBe(true);
  expect(await ended(t, 'one')).toMatchObject({
    excluded: [],
    attempts: [
      { backend: 'backend-1', outcome: 'moved' },
      { backend: 'backend-2', outcome: 'succeeded' },
    ],
    state: { status: 'succeeded' },
  });
  expect(await describeBackends(t)).toMatchObject({
    'backend-1': { status: 'paused', mode: 'active', trust: 'closed', lending: { reason: 'owner-work' } },
    'backend-2': { status: 'ready', lending: null },
  });
  expect(t.errors).toEqual([]);
});

test('on the only machine it waits, says for whom, and is done once the owner lends it again', async () => {
  await using t = await startBridge({ sims: [{ donor: {} }], env: never });
  const { jobId } = await submit(t, 'one');
  const first = await t.sim.nextPrompt();
  first.progress(5, 20, '3');
  const back = t.nextEvent('job:queued', ({ job }) => job.attempt === 1);
  t.sim.donor.pause({ reason: 'schedule', until });
  await back;
  const reason = 'is paused by its owner until 2031-05-04T06:00:00Z';
  expect(await describeBackends(t)).toMatchObject({
    'backend-1': { status: 'paused', reason, lending: { state: 'paused', reason: 'schedule', until } },
  });
  const waiting = await describeJob(t, jobId);
  expect(waiting).toMatchObject({
    status: 'queued',
    waits_because: `no ComfyUI that could run it takes work now: backend-1 ${reason}`,
  });
  expectNoSecrets(String(waiting.waits_because));
  const placement = await t.get('/api/bridge/workflows/text-to-image/placement');
  expect(await placement.json()).toMatchObject({
    can_run: true,
    choice: null,
    backends: [{ verdict: 'away', reasons: [reason] }],
  });
  await submit(t, 'two');
  expect(t.sim.counters['POST /prompt']).toBe(1);
  // Nobody looks at it in this test: its socket says so.
  t.sim.donor.resume();
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({ attempt: 2, state: { status: 'succeeded' } });
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  expect(await ended(t, 'two')).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
  expect(await describeBackends(t)).toMatchObject({
    'backend-1': { status: 'ready', reason: null, lending: { state: 'available', until: null } },
  });
  expect(await describeJob(t, jobId)).toMatchObject({ waits_because: null });
  expect(t.errors).toEqual([]);
});

test('a pause and its end are noticed by looking, where no socket is open', async () => {
  await using t = await startBridge({ sims: [{ donor: {} }] });
  const paused = t.nextEvent('backend:lending');
  t.sim.donor.pause();
  expect(await paused).toEqual({ backend: 'backend-1', isPaused: true, reason: 'command', until: null });
  await submit(t, 'one');
  t.sim.donor.resume();
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
});

test('one that is paused when the bridge starts gets nothing, not even a moment', async () => {
  await using sim = await startSim({ donor: {} });
  sim.donor.pause();
  await using t = await startBridge({ sims: 0, env: { COMFYUI_SERVERS: sim.address } });
  await submit(t, 'one');
  expect(await describeBackends(t)).toMatchObject({ 'backend-1': { status: 'paused' } });
  expect(sim.counters['POST /prompt']).toBeUndefined();
});

test('a prompt that may finish is followed to its end; what waited behind it is dropped, and done later', async () => {
  await using t = await startBridge({ sims: [{ donor: { onPause: 'finish' } }], env: { MAX_ATTEMPTS: '1' } });
  await proveBackends(t);
  await submit(t, 'runs');
  const run = await t.sim.nextPrompt();
  run.progress(5, 20, '3');
  await submit(t, 'waits');
  await expect.poll(() => t.sim.queue().pending.length).toBe(1);
  const back = t.nextEvent('job:queued', ({ job }) => job.clientId === 'waits' && job.attempt === 1);
  const before = performance.now();
  t.sim.donor.pause();
  await back;
  // Nobody is told of a dropped prompt; without the pause it would be looked for after five seconds of silence.
  expect(performance.now() - before).toBeLessThan(4_000);
  await run.finish({ images: 1 });
  expect(await ended(t, 'runs')).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
  t.sim.donor.resume();
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  expect(await ended(t, 'waits')).toMatchObject({
    attempts: [{ outcome: 'moved' }, { outcome: 'succeeded' }],
    state: { status: 'succeeded' },
  });
  expect(await describeBackends(t)).toMatchObject({ 'backend-1': { trust: 'closed' } });
});

test('paused between the last look and the prompt: it goes elsewhere, and nothing more goes there', async () => {
  await using t = await startBridge({ sims: [{ donor: {} }, {}], env: { MAX_ATTEMPTS: '1', ...never } });
  const [lent, own] = t.sims;
  lent?.donor.pause({ until, tell: false });
  await submit(t, 'one');
  await (await own?.nextPrompt())?.finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({ excluded: [], state: { status: 'succeeded' } });
  await submit(t, 'two');
  await (await own?.nextPrompt())?.finish({ images: 1 });
  await ended(t, 'two');
  expect(lent?.counters['POST /prompt']).toBe(1);
  expect(await describeBackends(t)).toMatchObject({
    'backend-1': { status: 'paused', trust: 'closed', lending: { until } },
  });
  expect(t.errors).toEqual([]);
});

/** What a bridge left there that was killed. */
async function leavePrompt(sim: Sim): Promise<PromptRun> {
  const graph = { '1': { class_type: 'PreviewImage', inputs: { images: ['2', 0] } } };
  const source = { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 0 } };
  const body = JSON.stringify({ prompt: { ...graph, '2': source } });
  await fetch(`${sim.url}/prompt`, { method: 'POST', body, headers: { connection: 'close' } });
  return sim.nextPrompt();
}

test('what a machine has no room for is done by another one, without a mark', async () => {
  await using t = await startBridge({
    sims: [{ donor: { maxQueue: 1 } }, {}],
    env: { MAX_ATTEMPTS: '1', ...never },
  });
  const own = t.sims[1];
  await leavePrompt(t.sim);
  await submit(t, 'one');
  await (await own?.nextPrompt())?.finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({
    excluded: [],
    attempts: [{ outcome: 'moved' }, { outcome: 'succeeded' }],
    state: { status: 'succeeded' },
  });
  expect(await describeBackends(t)).toMatchObject({ 'backend-1': { status: 'ready', trust: 'closed' } });
});

test('the only machine, without room, is asked again after a while and not before', async () => {
  let skew = 0;
  const overrides = { now: () => Date.now() + skew };
  await using t = await startBridge({ sims: [{ donor: { maxQueue: 1 } }], overrides });
  const left = await leavePrompt(t.sim);
  const back = t.nextEvent('job:queued', ({ job }) => job.attempt === 1);
  await submit(t, 'one');
  await back;
  const looks = t.sim.counters['GET /prompt'] ?? 0;
  await expect.poll(() => t.sim.counters['GET /prompt']).toBeGreaterThan(looks + 2);
  expect(t.sim.counters['POST /prompt']).toBe(2);
  const placement = await t.get('/api/bridge/workflows/text-to-image/placement');
  expect(await placement.json()).toMatchObject({
    backends: [{ verdict: 'away', reasons: ['does not take more prompts for a while'] }],
  });
  skew = 60_000;
  await left.finish({ images: 1 });
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({ attempt: 2, state: { status: 'succeeded' } });
});

test('no more prompts are handed to it at a time than its owner allows', async () => {
  await using t = await startBridge({ sims: [{ donor: { maxQueue: 1 } }] });
  await proveBackends(t);
  for (const clientId of ['one', 'two']) await submit(t, clientId);
  const first = await t.sim.nextPrompt();
  expect(t.bridge.fleet.backends[0]?.slots.size).toBe(1);
  await first.finish({ images: 1 });
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  await ended(t, 'two');
  expect(t.sim.counters['POST /prompt']).toBe(3);
});

test('an interrupt on a machine that is lent and not paused is one, as on any other', async () => {
  await using t = await startBridge({ sims: [{ donor: {} }] });
  await submit(t, 'one');
  (await t.sim.nextPrompt()).progress(5, 20, '3');
  await fetch(`${t.sim.url}/interrupt`, { method: 'POST', headers: { connection: 'close' } });
  expect(await ended(t, 'one')).toMatchObject({
    attempt: 1,
    state: { status: 'failed', error: { code: 'interrupted' } },
  });
});

test('models that the owner of a paused machine has loaded stay where they are', async () => {
  await using t = await startBridge({ sims: [{ donor: {} }, {}] });
  const paused = t.nextEvent('backend:lending');
  t.sim.donor.pause();
  await paused;
  expect((await t.post('/free')).status).toBe(200);
  expect(t.sims.map(({ counters }) => counters['POST /free'] ?? 0)).toEqual([0, 1]);
});
