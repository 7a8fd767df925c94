import { expect, test } from 'vitest';
import { startSim, type NodeDefinition, type Sim } from '../src/sim.ts';
import { Client, graph } from './_client.ts';

async function json(sim: Sim, path: string): Promise<Record<string, unknown>> {
  return (await (await fetch(sim.url + path)).json()) as Record<string, unknown>;
}

async function freeMemory(sim: Sim): Promise<number> {
  const { devices } = await json(sim, '/system_stats');
  return (devices as { vram_free: number }[])[0]?.vram_free ?? 0;
}

test('an old server: no flags, no progress_state, ids of its own, interrupts that hit anything', async () => {
  const features = { previewMetadata: false, clientPromptId: false, targetedInterrupt: false };
  await using sim = await startSim({ features, version: '0.3.40' });
  using client = await Client.connect(sim);
  expect((await fetch(`${sim.url}/features`)).status).toBe(404);
  const promptId = await client.submit(graph(), { prompt_id: 'mine' });
  expect(promptId).not.toBe('mine');
  const run = await sim.nextPrompt();
  run.progress(1, 4);
  await client.post('/interrupt', { prompt_id: 'another' });
  await client.untilOver(promptId);
  expect(client.types()).not.toContain('progress_state');
  expect(await run.done).toBe('interrupted');
});

test('a new server: jobs can be listed and cancelled, and ids must be UUIDs', async () => {
  await using sim = await startSim({ features: { jobsApi: true } });
  using client = await Client.connect(sim);
  await expect(client.submit(graph(), { prompt_id: 'mine' })).rejects.toThrow('invalid_prompt_id');
  const running = await client.submit(graph(1));
  const waiting = await client.submit(graph(2));
  const run = await sim.nextPrompt();
  const { jobs } = await json(sim, '/api/jobs');
  expect(jobs).toMatchObject([
    { id: waiting, status: 'pending' },
    { id: running, status: 'in_progress' },
  ]);
  for (const id of [waiting, running])
    expect(await (await client.post(`/api/jobs/${id}/cancel`)).json()).toEqual({ cancelled: true });
  expect(await run.done).toBe('interrupted');
  expect(await json(sim, `/api/jobs/${running}`)).toMatchObject({ status: 'cancelled' });
  expect((await fetch(`${sim.url}/api/jobs/${waiting}`)).status).toBe(404);
  expect((await fetch(`${sim.url}/jobs`)).status).toBe(404);
});

test('models on offer show in object_info and are validated', async () => {
  await using sim = await startSim({ models: { checkpoints: ['only.safetensors'] } });
  using client = await Client.connect(sim);
  await expect(client.submit(graph(1))).rejects.toThrow(
    "ckpt_name: 'sd_xl_base_1.0.safetensors' not in ['only.safetensors']",
  );
  await client.submit(graph(1, 'only.safetensors'));
  expect(await json(sim, '/models/checkpoints')).toEqual(['only.safetensors']);
});

test('its owner can change the models while it runs', async () => {
  await using sim = await startSim();
  using client = await Client.connect(sim);
  sim.setModels('checkpoints', ['sd\\new.safetensors']);
  expect(await json(sim, '/models/checkpoints')).toEqual(['sd\\new.safetensors']);
  await expect(client.submit(graph(1))).rejects.toThrow('not in');
  await client.submit(graph(1, 'sd\\new.safetensors'));
});

test('what it lists and does not have: an older node is refused, a newer one fails when it runs', async () => {
  const models = { checkpoints: ['gone.safetensors'], upscale_models: ['gone.pth'] };
  const Gone: NodeDefinition = {
    input: {},
    input_order: {},
    output: [],
    output_is_list: [],
    output_name: [],
    name: 'Gone',
    display_name: 'Gone',
    description: '',
    python_module: 'custom_nodes.gone',
    category: 'gone',
    output_node: true,
  };
  await using sim = await startSim({ mode: 'free', lies: { models, nodes: { Gone } } });
  using client = await Client.connect(sim);
  expect(await json(sim, '/models/checkpoints')).toContain('gone.safetensors');
  const told = await json(sim, '/object_info');
  expect(JSON.stringify(told['CheckpointLoaderSimple'])).toContain('gone.safetensors');
  expect(told['Gone']).toBeDefined();
  await expect(client.submit(graph(1, 'gone.safetensors'))).rejects.toThrow('Value not in list');
  await expect(client.submit({ '1': { class_type: 'Gone', inputs: {} } })).rejects.toThrow('does not exist');
  const promptId = await client.submit({
    '1': { class_type: 'LoadImage', inputs: { image: 'example.png' } },
    '2': { class_type: 'UpscaleModelLoader', inputs: { model_name: 'gone.pth' } },
    '3': { class_type: 'ImageUpscaleWithModel', inputs: { upscale_model: ['2', 0], image: ['1', 0] } },
    '4': { class_type: 'PreviewImage', inputs: { images: ['3', 0] } },
  });
  await client.untilOver(promptId);
  const error = client.messages.find(({ type }) => type === 'execution_error')?.data;
  expect(error).toMatchObject({ exception_type: 'FileNotFoundError', node_id: '2' });
});

test('what needs more memory than there is runs out of it', async () => {
  const needs = { KSampler: 9 * 1024 ** 3 };
  const outcome = async (vramTotal: number): Promise<unknown> => {
    await using sim = await startSim({ mode: 'free', runMs: 0, vramTotal, needs });
    using client = await Client.connect(sim);
    await client.untilOver(await client.submit(graph(1)));
    return client.messages.find(({ type }) => type === 'execution_error')?.data;
  };
  expect(await outcome(8 * 1024 ** 3)).toMatchObject({
    exception_type: 'torch.OutOfMemoryError',
    node_type: 'KSampler',
  });
  expect(await outcome(10 * 1024 ** 3)).toBeUndefined();
});

test('node classes can be added and removed', async () => {
  const first = await startSim();
  const { SaveImage, ImageScale } = await json(first, '/object_info');
  await first.close();
  const own = { ...(ImageScale as NonNullable<Awaited<ReturnType<typeof json>>>), name: 'Mine' };
  await using sim = await startSim({ nodes: { add: { Mine: own as never }, remove: ['ImageBlur'] } });
  expect(SaveImage).toBeDefined();
  expect(await json(sim, '/object_info/ImageBlur')).toEqual({});
  expect(await json(sim, '/object_info/Mine')).toMatchObject({ Mine: { name: 'Mine' } });
});

test('models fill the memory; loading takes time only when cold; free empties it', async () => {
  await using sim = await startSim({ mode: 'free', runMs: null, stepMs: 1, modelLoadMs: 80 });
  using client = await Client.connect(sim);
  const total = await freeMemory(sim);
  const timed = async (seed: number): Promise<number> => {
    const before = performance.now();
    await client.untilOver(await client.submit(graph(seed)));
    return performance.now() - before;
  };
  expect(await timed(1)).toBeGreaterThan(75);
  expect(await freeMemory(sim)).toBeLessThan(total);
  await timed(2);
  await client.post('/free', { unload_models: true });
  expect(await timed(3)).toBeGreaterThan(75);
});

test('a given run time is kept', async () => {
  await using sim = await startSim({ mode: 'free', runMs: 120 });
  using client = await Client.connect(sim);
  const promptId = await client.submit();
  await client.untilOver(promptId);
  const entry = (await client.history(promptId)) ?? {};
  const { messages } = entry.status as { messages: [string, { timestamp: number }][] };
  const took = (messages.at(-1)?.[1].timestamp ?? 0) - (messages[0]?.[1].timestamp ?? 0);
  expect(took).toBeGreaterThanOrEqual(118);
  expect(took).toBeLessThan(400);
  expect(client.messages.filter(({ type }) => type === 'progress')).toHaveLength(4);
});

test('a changed input file is computed again', async () => {
  await using sim = await startSim({ mode: 'free' });
  using client = await Client.connect(sim);
  const picture = await (await fetch(`${sim.url}/view?filename=example.png&type=input&preview=jpeg`)).blob();
  const run = async (): Promise<unknown> => {
    const promptId = await client.submit({
      '1': { class_type: 'LoadImage', inputs: { image: 'example.png' } },
      '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'again' } },
    });
    await client.untilOver(promptId);
    return (await client.history(promptId))?.outputs;
  };
  const first = await run();
  expect(await run()).toEqual(first);
  const form = new FormData();
  form.append('image', picture, 'example.png');
  form.append('overwrite', 'true');
  await fetch(`${sim.url}/upload/image`, { method: 'POST', body: form });
  expect(await run()).not.toEqual(first);
});
