/**
 * The official TypeScript SDK (`@comfyorg/sdk`), unchanged, against the bridge: a program written for one ComfyUI, or for the
 * vendor's cloud, finds here what it expects.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { InvalidWorkflow, JobFailed, MissingAsset, QueueFull, WorkflowFormatUi } from '@comfyorg/sdk';
import type { ComfyEvent } from '@comfyorg/sdk';
import sharp from 'sharp';
import { expect, test } from 'vitest';

import { submit } from '../../packages/bridge/tests/_requests.ts';
import { makePng, readGraph, scaleGraph, startSdkRig } from './_sdk-rig.ts';

const free = { mode: 'free' as const };

test('a picture goes up, through a workflow and back into a file', async () => {
  await using rig = await startSdkRig({ sim: free });
  const dir = await mkdtemp(join(tmpdir(), 'sdk-'));
  try {
    await writeFile(join(dir, 'red.png'), await makePng('#ff0000'));
    const workflow = rig.client.workflows.fromJson(scaleGraph());
    workflow.setInput('1', 'image', rig.client.assets.fromFile(join(dir, 'red.png')));
    const job = await rig.client.run(workflow);
    const [output] = job.getOutputs('3');
    expect(output).toMatchObject({ type: 'image', contentType: 'image/png', nodeId: '3', jobId: job.id });
    const saved = await output?.toFile(join(dir, 'out.png'));
    const { width } = await sharp(saved).metadata();
    expect(width).toBe(32);
    const { dominant } = await sharp(saved).stats();
    expect(dominant.r).toBeGreaterThan(200);
    const whole = await output?.toBytes();
    expect(whole).toEqual(new Uint8Array(await readFile(join(dir, 'out.png'))));
    expect(await output?.toBytes({ range: [0, 3] })).toEqual(whole?.slice(0, 4));
    const link = await output?.getDownloadUrl();
    expect((await fetch(link?.url ?? '', { headers: { connection: 'close' } })).status).toBe(200);
    expect((await job.getWorkflow()).format).toBe('api');
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

test('bytes that are there already are not sent again', async () => {
  await using rig = await startSdkRig();
  const png = await makePng('#00ff00');
  const first = rig.client.assets.fromBytes(png, { filename: 'green.png' });
  await first.commit();
  expect(first.createdNew).toBe(true);
  const second = rig.client.assets.fromBytes(png, { filename: 'again.png' });
  await second.commit();
  expect(second.createdNew).toBe(false);
  expect(second.id).not.toBeUndefined();
  const found = await rig.client.assets.get(second.id ?? '');
  expect(await found.hash()).toBe(await first.hash());
  await rig.client.assets.delete(second.id ?? '');
  await expect(rig.client.assets.get(second.id ?? '')).rejects.toMatchObject({ code: 'not_found' });
  expect((await rig.client.assets.get(first.id ?? '')).id).toBe(first.id);
});

test('another account’s assets are unknown', async () => {
  await using rig = await startSdkRig();
  const [ann, bob] = [rig.connect('secret-of-ann'), rig.connect('secret-of-bob')];
  const asset = ann.assets.fromBytes(await makePng('#0000ff'), { filename: 'blue.png' });
  const id = await asset.commit();
  await expect(bob.assets.get(id)).rejects.toMatchObject({ code: 'not_found' });
  const workflow = bob.workflows.fromJson(scaleGraph(await asset.asReference()));
  await expect(bob.submit(workflow)).rejects.toBeInstanceOf(MissingAsset);
  expect((await ann.assets.get(id)).id).toBe(id);
});

test('events tell the whole life of a job, over a cut connection', async () => {
  await using rig = await startSdkRig();
  const { t, client } = rig;
  const workflow = client.workflows.fromJson(await readGraph('text-to-image'));
  const job = await client.submit(workflow);
  const run = await t.sim.nextPrompt();
  const events: ComfyEvent[] = [];
  const told = (async () => {
    for await (const event of job.events()) events.push(event);
  })();
  run.progress(5, 20, '3');
  await expect.poll(() => events.some((event) => event.kind === 'progress' && event.step === 5)).toBe(true);
  run.preview();
  await expect.poll(() => events.some((event) => event.kind === 'preview')).toBe(true);
  run.progress(15, 20, '3');
  await expect.poll(() => events.some((event) => event.kind === 'progress' && event.step === 15)).toBe(true);
  await run.finish({ images: 2 });
  await told;
  const kinds = events.map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === 'outputReady')).toHaveLength(2);
  expect(events.at(-1)).toMatchObject({ kind: 'statusChange', status: 'succeeded' });
  const preview = events.find((event) => event.kind === 'preview');
  expect(preview?.contentType).toBe('image/jpeg');
  expect([...(preview?.data.subarray(0, 2) ?? [])]).toEqual([0xff, 0xd8]);
  await job.refresh();
  expect(job.outputs).toHaveLength(2);
});

test('a job is found again by its id alone, and canceled', async () => {
  await using rig = await startSdkRig();
  const { t, client } = rig;
  const workflow = client.workflows.fromJson(await readGraph('text-to-image'));
  const { id } = await client.submit(workflow);
  const run = await t.sim.nextPrompt();
  run.progress(1, 20, '3');
  const again = await rig.connect().jobs.get(id);
  await again.cancel();
  await run.interrupted;
  await again.wait(10_000);
  expect(again.status).toBe('canceled');
  await expect(again.result()).rejects.toBeInstanceOf(JobFailed);
});

test('a job that fails says where and why', async () => {
  await using rig = await startSdkRig();
  const { t, client } = rig;
  const job = await client.submit(client.workflows.fromJson(await readGraph('text-to-image')));
  (await t.sim.nextPrompt()).fail({ nodeId: '3', message: 'no luck' });
  const failure = await job.result().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(JobFailed);
  expect(failure).toMatchObject({
    error: { code: 'node_execution_error', node_id: '3', class_type: 'KSampler' },
  });
});

test('what cannot run is refused as the type of error that the SDK has for it', async () => {
  await using rig = await startSdkRig();
  const { client } = rig;
  const submitGraph = (graph: Record<string, unknown>) => client.submit(client.workflows.fromJson(graph));
  const unknown = await submitGraph({ '1': { class_type: 'NoSuchNode', inputs: {} } }).catch(
    (e: unknown) => e,
  );
  expect(unknown).toBeInstanceOf(InvalidWorkflow);
  expect(unknown).toMatchObject({ httpStatus: 422, details: { node_errors: { '1': expect.any(Array) } } });
  const id = '9f8a1c0d-2b3e-4f56-8a7b-1c2d3e4f5a6b';
  await expect(submitGraph(scaleGraph({ __type: 'core/ASSET', info: { id } }))).rejects.toBeInstanceOf(
    MissingAsset,
  );
  await expect(submitGraph({ nodes: [], links: [], last_node_id: 1 })).rejects.toBeInstanceOf(
    WorkflowFormatUi,
  );
});

test('a used key is refused, and its job is where it was', async () => {
  await using rig = await startSdkRig({ sim: free });
  const { client } = rig;
  const workflow = client.workflows.fromJson(await readGraph('text-to-image'));
  const job = await client.submit(workflow, { idempotencyKey: 'mine' });
  await expect(client.submit(workflow, { idempotencyKey: 'mine' })).rejects.toMatchObject({
    code: 'idempotency_key_reuse',
  });
  await job.result();
  expect(rig.t.sim.counters['POST /prompt']).toBe(1);
});

test('a full queue is waited for', async () => {
  await using rig = await startSdkRig({ env: { MAX_QUEUED_JOBS: '1', BACKEND_SLOTS: '1' } });
  const { t, client } = rig;
  await submit(t, 'runs');
  const runs = await t.sim.nextPrompt();
  await submit(t, 'waits');
  const workflow = client.workflows.fromJson(await readGraph('text-to-image'));
  const cut = AbortSignal.timeout(300);
  await expect(client.submit(workflow, { signal: cut })).rejects.not.toBeInstanceOf(QueueFull);
  const waiting = client.submit(workflow);
  await runs.finish({ images: 1 });
  const waited = await t.sim.nextPrompt();
  const job = await waiting;
  await waited.finish({ images: 1 });
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  await job.result();
});

test('many jobs at once over several machines, one of which dies, all end well', async () => {
  await using rig = await startSdkRig({ sims: [free, free, free], sim: { runMs: 60 } });
  const { t, client } = rig;
  const [, doomed] = t.sims;
  const jobs = await Promise.all(
    Array.from({ length: 30 }, async (_, index) => {
      const graph = await readGraph('text-to-image');
      const sampler = graph['3'];
      if (sampler !== undefined) sampler.inputs['seed'] = index;
      return await client.submit(client.workflows.fromJson(graph));
    }),
  );
  await t.nextEvent('job:finished');
  doomed?.crash();
  await Promise.all(jobs.map((job) => job.result()));
  expect(jobs.every((job) => job.outputs.length === 1)).toBe(true);
  const bytes = await Promise.all(jobs.map(async (job) => await job.outputs[0]?.toBytes()));
  expect(bytes.every((one) => (one?.length ?? 0) > 0)).toBe(true);
});

test('under a sub-path, behind a proxy, its links lead where they should', async () => {
  await using rig = await startSdkRig({ sim: free, env: { BASE_PATH: '/comfy' } });
  const { client } = rig;
  const workflow = client.workflows.fromJson(scaleGraph());
  workflow.setInput('1', 'image', client.assets.fromBytes(await makePng('#abcdef')));
  const job = await client.submit(workflow);
  const kinds: string[] = [];
  for await (const event of job.events()) kinds.push(event.kind);
  expect(kinds.at(-1)).toBe('statusChange');
  await job.result();
  expect((await job.outputs[0]?.toBytes())?.length).toBeGreaterThan(0);
});
