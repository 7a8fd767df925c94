import { startSim } from '@comfy-bridge/comfy-sim';
import type { Fault, Sim } from '@comfy-bridge/comfy-sim';
import { expect, test } from 'vitest';

import type { Backend } from '../src/backends/fleet.ts';
import { ended, expectNoSecrets, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { StartOptions, TestBridge } from './_start-bridge.ts';

const checkpoint = 'v1-5-pruned-emaonly-fp16.safetensors';
const upscaler = 'RealESRGAN_x4plus.pth';
const minute = 60_000;

interface Clocked extends AsyncDisposable {
  readonly t: TestBridge;
  /** Lets time pass for the bridge alone. */
  pass(ms: number): void;
  /** Lets time pass, two minutes at most, until something is so. */
  passUntil(isSo: () => boolean): Promise<void>;
  backend(index: number): Backend;
  sim(index: number): Sim;
}

async function startClocked(options: StartOptions = {}): Promise<Clocked> {
  let skew = 0;
  const t = await startBridge({
    ...options,
    env: { PROBE_INTERVAL: '0.05', ...options.env },
    overrides: { now: () => Date.now() + skew },
  });
  const need = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error('there is no such backend');
    return value;
  };
  return {
    t,
    pass(ms) {
      skew += ms;
    },
    async passUntil(isSo) {
      const most = skew + 2 * minute;
      await eventually(() => {
        if (skew < most) skew += 10_000;
        return isSo();
      }).toBe(true);
    },
    backend: (index) => need(t.bridge.fleet.backends[index]),
    sim: (index) => need(t.sims[index]),
    [Symbol.asyncDispose]: () => t[Symbol.asyncDispose](),
  };
}

const optionsOf = ({ definitions }: Backend, classType: string, inputName: string) =>
  definitions?.get(classType)?.inputs.get(inputName)?.options;

/** Waits until what is looked at is as it should be, also on a machine that is busy with other tests. */
function eventually<T>(look: () => T) {
  return expect.poll(look, { timeout: 10_000 });
}

const looks = (sim: Sim) => sim.counters['GET /models'] ?? 0;
const fetches = (sim: Sim) => sim.counters['GET /object_info'] ?? 0;

test('models that come and go are seen; as long as nothing does, not everything is fetched', async () => {
  await using c = await startClocked();
  const { t } = c;
  for (let round = 0; round < 3; round += 1) {
    const before = looks(t.sim);
    await c.passUntil(() => looks(t.sim) > before);
  }
  expect(fetches(t.sim)).toBe(1);
  const { definitionsVersion } = t.bridge.fleet;
  const offers = (file: string) =>
    optionsOf(c.backend(0), 'CheckpointLoaderSimple', 'ckpt_name')?.includes(file) === true;
  t.sim.setModels('checkpoints', [checkpoint, 'sub\\new.safetensors']);
  await c.passUntil(() => offers('sub\\new.safetensors'));
  expect(t.bridge.fleet.definitionsVersion).toBeGreaterThan(definitionsVersion);
  expect(fetches(t.sim)).toBe(2);
  t.sim.setModels('checkpoints', [checkpoint]);
  await c.passUntil(() => !offers('sub\\new.safetensors'));
});

test('everything is fetched now and then although nothing seems to have changed', async () => {
  await using c = await startClocked();
  const info = await (await fetch(`${c.t.sim.url}/object_info`)).json();
  const body = JSON.stringify({ ...(info as object), Fresh: { input: {} } });
  c.t.sim.failNext('GET /object_info', { body }, 1_000);
  c.pass(12 * minute);
  await eventually(() => c.backend(0).definitions?.has('Fresh')).toBe(true);
});

test('what changed while it was away is known before it gets work', async () => {
  await using c = await startClocked();
  const { t } = c;
  const back = t.nextEvent('backend:lost').then(() => t.nextEvent('backend:ready'));
  t.sim.crash();
  t.sim.setModels('loras', ['new.safetensors']);
  await eventually(() => c.backend(0).state.status).toBe('lost');
  // On a busy machine the first look took long, and the next may come only a while after it.
  c.pass(minute);
  await t.sim.restart();
  await back;
  expect(optionsOf(c.backend(0), 'LoraLoader', 'lora_name')).toEqual(['new.safetensors']);
});

test('backends that offer the same share it, and after a change what is still the same', async () => {
  await using c = await startClocked({ sims: 2 });
  const [first, second] = [c.backend(0), c.backend(1)];
  expect(second.definitions).toBe(first.definitions);
  expect(second.definitionsSignature).toBe(first.definitionsSignature);
  c.sim(1).setModels('loras', ['own.safetensors']);
  await c.passUntil(() => optionsOf(second, 'LoraLoader', 'lora_name')?.[0] === 'own.safetensors');
  expect(second.definitionsSignature).not.toBe(first.definitionsSignature);
  expect(second.definitions?.get('KSampler')).toBe(first.definitions?.get('KSampler'));
  const { findDefinition } = c.t.bridge.fleet;
  expect(findDefinition('LoraLoader')?.inputs.get('lora_name')?.options).toEqual(['own.safetensors']);
});

test('a change while a job runs does not touch the job', async () => {
  await using c = await startClocked();
  await submit(c.t, 'one');
  const run = await c.t.sim.nextPrompt();
  run.progress(1, 20, '3');
  const before = c.backend(0).definitions;
  c.t.sim.setModels('checkpoints', ['another.safetensors']);
  await c.passUntil(() => c.backend(0).definitions !== before);
  await run.finish({ images: 1 });
  expect(await ended(c.t, 'one')).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
});

/** Places a job on the first backend, which cannot run it, and lets the second one do it. */
async function runOnOther(c: Clocked, clientId: string, workflow: string): Promise<void> {
  await c.t.post('/api/bridge/backends/backend-2/drain');
  const suspected = c.t.nextEvent('backend:suspected');
  await submit(c.t, clientId, { workflow });
  if (workflow === 'upscale-with-model') await (await c.sim(0).nextPrompt()).finish();
  await suspected;
  await c.t.post('/api/bridge/backends/backend-2/resume');
  await (await c.sim(1).nextPrompt()).finish({ images: 1 });
  expect(await ended(c.t, clientId)).toMatchObject({
    attempts: [{ backend: 'backend-1' }, { backend: 'backend-2', outcome: 'succeeded' }],
    state: { status: 'succeeded' },
  });
}

test('a checkpoint that is listed and refused: the job is done elsewhere, and so is the next one at once', async () => {
  const liar = {
    models: { checkpoints: ['x.safetensors'] },
    lies: { models: { checkpoints: [checkpoint] } },
  };
  await using c = await startClocked({ sims: [liar, {}] });
  const fetched = fetches(c.sim(0));
  await runOnOther(c, 'one', 'text-to-image');
  const suspicion = { classType: 'CheckpointLoaderSimple', inputName: 'ckpt_name', value: checkpoint };
  expect(c.backend(0).suspicions).toMatchObject([suspicion]);
  // It is asked again, and says the same.
  await c.passUntil(() => fetches(c.sim(0)) > fetched);
  await submit(c.t, 'two');
  await (await c.sim(1).nextPrompt()).finish({ images: 1 });
  expect(await ended(c.t, 'two')).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
  expect(c.backend(0).suspicions).toMatchObject([suspicion]);
  expect(c.sim(0).counters['POST /prompt']).toBe(1);
  // Its owner puts the file there: another list, another chance.
  c.sim(0).setModels('checkpoints', [checkpoint]);
  await c.passUntil(() => c.backend(0).suspicions.length === 0);
});

test('a file that is listed and not found by the node that loads it: the job is done elsewhere', async () => {
  const liar = { models: { upscale_models: [] }, lies: { models: { upscale_models: [upscaler] } } };
  await using c = await startClocked({ sims: [liar, {}] });
  await runOnOther(c, 'one', 'upscale-with-model');
  expect(c.backend(0).suspicions).toMatchObject([
    { classType: 'UpscaleModelLoader', inputName: 'model_name', value: upscaler },
  ]);
});

test('a node class that is listed and unknown: the job is done elsewhere', async () => {
  await using honest = await startBridge({ ready: false });
  const info = (await (await fetch(`${honest.sim.url}/object_info`)).json()) as Record<string, never>;
  const liar = {
    nodes: { remove: ['VAEDecode'] },
    lies: { nodes: { VAEDecode: info['VAEDecode'] as never } },
  };
  await using c = await startClocked({ sims: [liar, {}] });
  await runOnOther(c, 'one', 'text-to-image');
  expect(c.backend(0).suspicions).toMatchObject([{ classType: 'VAEDecode', inputName: null, value: null }]);
});

test('a liar that was away is believed again, once', async () => {
  const liar = {
    models: { checkpoints: ['x.safetensors'] },
    lies: { models: { checkpoints: [checkpoint] } },
  };
  await using c = await startClocked({ sims: [liar, {}] });
  await runOnOther(c, 'one', 'text-to-image');
  const back = c.t.nextEvent('backend:ready');
  c.sim(0).crash();
  await eventually(() => c.backend(0).state.status).toBe('lost');
  await c.sim(0).restart();
  await back;
  expect(c.backend(0).suspicions).toEqual([]);
});

const contradiction = JSON.stringify({
  A: { name: 'B', input: {} },
  B: { name: 'A', input: {} },
});

test.each<[string, Fault, RegExp]>([
  ['no JSON', 'garbage', /not JSON/],
  ['no nodes', { body: '{"detail":"unauthorized"}' }, /names no node/],
  ['a contradiction', { body: contradiction }, /contradicts itself/],
  ['far too much', { hugeBytes: 65 * 1024 * 1024, chunked: true }, /larger than 64 MB/],
  ['an announcement of far too much', { hugeBytes: 2 ** 40 }, /larger than 64 MB/],
  ['an error', 500, /refuses/],
  ['half of it', 'truncate', /connection breaks/],
])(
  '%s where its nodes should be: what is known counts, and it is asked again',
  async (_what, fault, words) => {
    await using c = await startClocked();
    const backend = c.backend(0);
    const { definitions } = backend;
    c.t.sim.failNext('GET /object_info', fault);
    c.pass(12 * minute);
    await eventually(() => backend.offerProblem).toMatch(words);
    expectNoSecrets(backend.offerProblem ?? '');
    expect(backend.definitions).toBe(definitions);
    expect(backend.state.status).toBe('ready');
    await submit(c.t, 'one');
    await (await c.t.sim.nextPrompt()).finish({ images: 1 });
    expect(await ended(c.t, 'one')).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
    c.pass(10 * minute);
    await eventually(() => backend.offerProblem).toBeNull();
    expect(c.t.errors).toEqual([]);
  },
);

test('one that hangs when asked for its nodes works on, and does not hold up the stop', async () => {
  await using c = await startClocked();
  c.t.sim.failNext('GET /object_info', 'hang');
  const before = fetches(c.t.sim);
  c.pass(12 * minute);
  await eventually(() => fetches(c.t.sim)).toBeGreaterThan(before);
  await submit(c.t, 'one');
  await (await c.t.sim.nextPrompt()).finish({ images: 1 });
  expect(await ended(c.t, 'one')).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
});

test('however often it is asked for, everything is fetched one per cent of the time at most', async () => {
  await using c = await startClocked();
  const { t } = c;
  async function ask(): Promise<void> {
    t.bridge.events.emit('backend:suspected', { backend: 'backend-1', lacks: [] });
    const probes = t.sim.counters['GET /prompt'] ?? 0;
    await eventually(() => t.sim.counters['GET /prompt']).toBeGreaterThan(probes + 4);
  }
  const { definitions } = c.backend(0);
  t.sim.setModels('loras', ['new.safetensors']);
  t.sim.failNext('GET /object_info', { delayMs: 400 });
  c.pass(30_000);
  await ask();
  await eventually(() => c.backend(0).definitions).not.toBe(definitions);
  const fetched = fetches(t.sim);
  await ask();
  c.pass(30_000);
  await ask();
  expect(fetches(t.sim)).toBe(fetched);
  c.pass(30_000);
  await eventually(() => fetches(t.sim)).toBe(fetched + 1);
});

test('without a list that can be read it gets no work, and its operator is told why', async () => {
  await using c = await startClocked({ ready: false });
  c.t.sim.failNext('GET /object_info', 'garbage', 1_000);
  await eventually(() => c.t.bridge.fleet.backends[0]?.offerProblem).toMatch(/not JSON/);
  await eventually(() => c.backend(0).state).toMatchObject({ status: 'lost', reason: /not JSON/ });
  const ready = c.t.nextEvent('backend:ready');
  c.t.sim.clearFaults();
  c.pass(minute);
  await ready;
  expect(c.backend(0).offerProblem).toBeNull();
});

const gigabyte = 1024 ** 3;
const statsBody = (device: object, system: object = {}) =>
  JSON.stringify({
    system: { comfyui_version: '0.3.64', ...system },
    devices: [{ type: 'cuda', ...device }],
  });

test.each<[string, Fault]>([
  ['no JSON', 'garbage'],
  ['an error', 500],
  ['another route', { body: '[]' }],
  ['negative numbers', { body: statsBody({ vram_total: -1, vram_free: -2, torch_vram_total: -3 }) }],
  ['text', { body: statsBody({ vram_total: 'much', vram_free: 'more' }, { ram_total: '64 GB' }) }],
  ['numbers beyond all machines', { body: statsBody({ vram_total: 1e300, vram_free: 1e301 }) }],
  ['NaN', { body: '{"system":{"ram_total":NaN},"devices":[{"vram_total":Infinity}]}' }],
])('nonsense for its memory (%s) leaves what was known, and the jobs', async (_what, fault) => {
  await using c = await startClocked({ sim: { vramTotal: 8 * gigabyte } });
  const backend = c.backend(0);
  const before = c.t.sim.counters['GET /system_stats'] ?? 0;
  c.t.sim.failNext('GET /system_stats', fault);
  c.pass(11_000);
  await eventually(() => c.t.sim.counters['GET /system_stats']).toBeGreaterThan(before);
  await submit(c.t, 'one');
  await (await c.t.sim.nextPrompt()).finish({ images: 1 });
  expect(await ended(c.t, 'one')).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
  expect([backend.memoryBytes, backend.usableMemoryBytes]).toEqual([8 * gigabyte, 8 * gigabyte]);
  expect(c.t.errors).toEqual([]);
});

test('one that never says what it has is used all the same', async () => {
  await using sim = await startSim();
  sim.failNext('GET /system_stats', 500, 1_000);
  await using c = await startClocked({ sims: 0, env: { COMFYUI_SERVERS: sim.address } });
  expect([c.backend(0).memoryBytes, c.backend(0).usableMemoryBytes, c.backend(0).version]).toEqual([
    0,
    0,
    null,
  ]);
  await submit(c.t, 'one');
  await (await sim.nextPrompt()).finish({ images: 1 });
  expect(await ended(c.t, 'one')).toMatchObject({ state: { status: 'succeeded' } });
});

test('its memory is looked at while it works: what other programs take is missing', async () => {
  await using c = await startClocked({ sim: { vramTotal: 24 * gigabyte } });
  await submit(c.t, 'one');
  const run = await c.t.sim.nextPrompt();
  const body = statsBody({
    vram_total: 24 * gigabyte,
    vram_free: 7 * gigabyte,
    torch_vram_total: 6 * gigabyte,
    torch_vram_free: gigabyte,
  });
  c.t.sim.failNext('GET /system_stats', { body });
  c.pass(11_000);
  await eventually(() => c.backend(0).usableMemoryBytes).toBe(12 * gigabyte);
  expect(c.backend(0).memoryBytes).toBe(24 * gigabyte);
  await run.finish({ images: 1 });
  await ended(c.t, 'one');
});

test('feature flags are kept where there are any', async () => {
  await using c = await startClocked({ sims: [{}, { features: { previewMetadata: false } }] });
  expect(c.backend(0).features).toMatchObject({ supports_preview_metadata: true });
  expect(c.backend(1).features).toEqual({});
});
