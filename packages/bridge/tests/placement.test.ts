import { expect, test } from 'vitest';

import { detailOf, ended, parseBody, proveBackends, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';
import { copyWorkflows, setInput } from './_workflow-folder.ts';

const wanted = 'v1-5-pruned-emaonly-fp16.safetensors';
const gigabyte = 1024 ** 3;

interface Explained {
  workflow: string;
  can_run: boolean;
  choice: string | null;
  needs: { models: string[] };
  backends: {
    backend: string;
    verdict: string;
    reasons: string[];
    lacks: { class_type: string; input: string | null; value: unknown }[];
    expected: { load_ms: number; run_ms: number; finishes_in_ms: number; basis: string } | null;
  }[];
}

async function explain(t: TestBridge, alias = 'text-to-image', inputs?: unknown): Promise<Explained> {
  const query = inputs === undefined ? '' : `?inputs=${encodeURIComponent(JSON.stringify(inputs))}`;
  return parseBody(t.get(`/api/bridge/workflows/${alias}/placement${query}`));
}

const without = { models: { checkpoints: ['other.safetensors'] } };

test('a job goes where its checkpoint is, past an idle ComfyUI that does not have it', async () => {
  await using t = await startBridge({ sims: [without, {}] });
  for (const clientId of ['one', 'two']) {
    await submit(t, clientId);
    await (await t.sims[1]?.nextPrompt())?.finish({ images: 1 });
    expect(await ended(t, clientId)).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
  }
  expect(t.sim.counters['POST /prompt']).toBeUndefined();
});

test('a checkpoint that nobody has is refused at once, naming who lacks what', async () => {
  await using t = await startBridge({ sims: [without, { nodes: { remove: ['VAEDecode'] } }] });
  const answer = await t.post('/generate-based-workflow?clientId=one', { workflow: 'text-to-image' });
  expect(answer.status).toBe(503);
  expect(await detailOf(answer)).toBe(
    `no ComfyUI of the fleet can run this workflow: backend-1 lacks "${wanted}" ` +
      '(ckpt_name of CheckpointLoaderSimple); backend-2 lacks node VAEDecode',
  );
});

test('a job that could run on a ComfyUI that is down waits for it', async () => {
  await using t = await startBridge({ sims: [without, {}] });
  const lost = t.nextEvent('backend:lost');
  await t.sims[1]?.refuse(true);
  await lost;
  await submit(t, 'one');
  expect((await explain(t)).backends.map(({ verdict }) => verdict)).toEqual(['unable', 'away']);
  await t.sims[1]?.refuse(false);
  await (await t.sims[1]?.nextPrompt())?.finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({ state: { status: 'succeeded' } });
});

test('folders in a file name are spelled as the chosen ComfyUI spells them', async () => {
  await using folder = await copyWorkflows({
    'text-to-image': setInput('CheckpointLoaderSimple', 'ckpt_name', 'sd/base.safetensors'),
  });
  await using t = await startBridge({
    sims: [
      { models: { checkpoints: ['sd\\base.safetensors'] } },
      { models: { checkpoints: ['sd/base.safetensors'] } },
    ],
    env: { WORKFLOW_DIR: folder.path, BACKEND_SLOTS: '1' },
  });
  for (const clientId of ['one', 'two']) await submit(t, clientId);
  const runs = await Promise.all(t.sims.map((sim) => sim.nextPrompt()));
  expect(runs.map(({ prompt }) => prompt['4']?.inputs['ckpt_name'])).toEqual([
    'sd\\base.safetensors',
    'sd/base.safetensors',
  ]);
  for (const run of runs) await run.finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
  expect(await ended(t, 'two')).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
});

test('the placement of a workflow: each verdict with its reason, and when it would be done', async () => {
  await using t = await startBridge({ sims: [without, {}, {}] });
  await submit(t, 'busy');
  const run = await t.sims[1]?.nextPrompt();
  run?.start('4');
  const { workflow, can_run, choice, needs, backends } = await explain(t);
  expect({ workflow, can_run, choice }).toEqual({
    workflow: 'text-to-image',
    can_run: true,
    choice: 'backend-3',
  });
  expect(needs.models).toEqual([wanted]);
  expect(backends).toMatchObject([
    {
      backend: 'backend-1',
      verdict: 'unable',
      lacks: [{ class_type: 'CheckpointLoaderSimple', input: 'ckpt_name', value: wanted }],
      expected: null,
    },
    { verdict: 'busy', reasons: ['runs 1 of our jobs'] },
    { verdict: 'free', reasons: [], lacks: [] },
  ]);
  expect(backends[2]?.expected?.finishes_in_ms).toBeGreaterThan(0);
  await run?.finish({ images: 1 });
});

test('the placement is asked for with inputs, and refuses what a submit would refuse', async () => {
  await using t = await startBridge();
  expect(await explain(t, 'upscale', { '2/scale_by': 2 })).toMatchObject({ can_run: true });
  expect(await explain(t, 'upscale', { factor: 2, Method: 'area' })).toMatchObject({ can_run: true });
  const path = '/api/bridge/workflows/upscale/placement';
  for (const [query, status, text] of [
    ['?inputs=nonsense', 400, /JSON object/],
    ['?inputs=[1]', 400, /JSON object/],
    ['?inputs={"2/nope":1}', 400, /not an input/],
    ['?inputs={"2/scale_by":"x"}', 400, /number/],
  ] as const) {
    const answer = await t.get(`${path}${query.replaceAll('"', '%22')}`);
    expect(answer.status, query).toBe(status);
    expect(await answer.text()).toMatch(text);
  }
  expect((await t.get('/api/bridge/workflows/nope/placement')).status).toBe(404);
});

test('what went out of memory on a small ComfyUI does not go there again', async () => {
  const sims = [8, 24].map((size) => ({ vramTotal: size * gigabyte }));
  await using t = await startBridge({ sims, env: { BACKEND_SLOTS: '1' } });
  await submit(t, 'one');
  (await t.sim.nextPrompt()).fail({ type: 'torch.OutOfMemoryError', message: 'Allocation on device' });
  await (await t.sims[1]?.nextPrompt())?.finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({ attempt: 2, state: { status: 'succeeded' } });

  await submit(t, 'two');
  await submit(t, 'three');
  for (const clientId of ['two', 'three']) {
    await (await t.sims[1]?.nextPrompt())?.finish({ images: 1 });
    expect(await ended(t, clientId)).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
  }
  expect(t.sim.counters['POST /prompt']).toBe(1);
  expect((await explain(t)).backends[0]).toMatchObject({
    verdict: 'unable',
    reasons: [expect.stringMatching(/too little memory: 8\.0 GB/)],
  });
});

test('a job goes where its model is loaded, although another ComfyUI is named first', async () => {
  await using folder = await copyWorkflows({
    'text-to-image': setInput('CheckpointLoaderSimple', 'ckpt_name', wanted),
    'image-to-image': setInput('CheckpointLoaderSimple', 'ckpt_name', 'sd_xl_base_1.0.safetensors'),
  });
  await using t = await startBridge({ sims: 2, env: { WORKFLOW_DIR: folder.path, BACKEND_SLOTS: '1' } });
  const [first, second] = t.sims;
  await submit(t, 'a1');
  const a = await first?.nextPrompt();
  await submit(t, 'b1', { workflow: 'image-to-image' });
  await (await second?.nextPrompt())?.finish({ images: 1 });
  await a?.finish({ images: 1 });
  await Promise.all(['a1', 'b1'].map((clientId) => ended(t, clientId)));
  await submit(t, 'b2', { workflow: 'image-to-image' });
  await (await second?.nextPrompt())?.finish({ images: 1 });
  await ended(t, 'b2');
  const [one, two] = await parseBody<{ loaded_models: string[] }[]>(t.get('/api/bridge/backends'));
  expect([one?.loaded_models, two?.loaded_models]).toEqual([[wanted], ['sd_xl_base_1.0.safetensors']]);
});

test('what runs cost is known after a restart', async () => {
  const { startWorld } = await import('./_world.ts');
  await using world = await startWorld(1, { mode: 'free', runMs: 30 });
  {
    await using t = await world.start();
    for (const clientId of ['one', 'two', 'three']) {
      await submit(t, clientId, { '6/text': clientId });
      await ended(t, clientId);
    }
    expect((await explain(t)).backends[0]?.expected?.basis).toBe('measured');
  }
  await using t = await world.start();
  const { basis, run_ms } = (await explain(t)).backends[0]?.expected ?? {};
  expect(basis).toBe('measured');
  expect(run_ms).toBeLessThan(2_000);
});

test('a job that waits is told when it will be done, and how sure that is', async () => {
  await using t = await startBridge({ env: { BACKEND_SLOTS: '1' } });
  await proveBackends(t);
  await submit(t, 'runs');
  const run = await t.sim.nextPrompt();
  const { jobId } = await submit(t, 'waits');
  const { eta } = await parseBody<{ eta: Record<'at' | 'earliest' | 'latest' | 'basis', string> }>(
    t.get(`/api/bridge/jobs/${jobId}`),
  );
  const [earliest, at, latest] = [eta.earliest, eta.at, eta.latest].map((time) => Date.parse(time));
  expect(earliest).toBeLessThanOrEqual(at ?? 0);
  expect(at).toBeLessThanOrEqual(latest ?? 0);
  expect(earliest).toBeGreaterThan(Date.now() - 60_000);
  expect(eta.basis).toMatch(/measured|estimated|guessed/);
  await run.finish({ images: 1 });
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  await ended(t, 'waits');
  expect(await parseBody(t.get(`/api/bridge/jobs/${jobId}`))).toMatchObject({ eta: null });
});

test('what waits behind a stalled ComfyUI is taken over by one that becomes idle', async () => {
  let skew = 0;
  const now = () => Date.now() + skew;
  await using t = await startBridge({ sims: 2, overrides: { now } });
  await proveBackends(t);
  const [stalls, helps] = t.sims;
  await submit(t, 'a');
  const stalled = await stalls?.nextPrompt();
  stalled?.start('4');
  await submit(t, 'b');
  const busy = await helps?.nextPrompt();
  await submit(t, 'c');
  await expect
    .poll(() => (stalls?.queue().pending.length ?? 0) + (helps?.queue().pending.length ?? 0))
    .toBe(1);
  const behind = stalls?.queue().pending.length === 1 ? stalls : helps;
  const freed = behind === stalls ? busy : stalled;
  const other = behind === stalls ? helps : stalls;
  // The one it waits behind takes far longer than it was expected to.
  skew = 20_000;
  await freed?.finish({ images: 1 });
  await (await other?.nextPrompt())?.finish({ images: 1 });
  expect(await ended(t, 'c')).toMatchObject({ state: { status: 'succeeded' } });
  expect(behind?.queue().pending).toEqual([]);
});
