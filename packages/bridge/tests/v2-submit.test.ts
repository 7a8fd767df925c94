import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { v2ErrorSchema, v2JobSchema, v2JobWorkflowSchema } from '@comfy-bridge/protocol';
import type { V2Job } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { ended, expectNoSecrets, submit } from './_requests.ts';
import { startBridge, workflowsDir } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';
import { startWorld } from './_world.ts';

type Graph = Record<string, { class_type: string; inputs: Record<string, unknown> }>;

async function readGraph(name = 'text-to-image'): Promise<Graph> {
  return JSON.parse(await readFile(join(workflowsDir, `${name}.json`), 'utf8')) as Graph;
}

const post = (t: TestBridge, body: unknown, headers: Record<string, string> = {}) =>
  t.post('/api/v2/jobs', body, { headers });

async function accepted(answer: Response): Promise<V2Job> {
  const text = await answer.text();
  expect(answer.status, text).toBe(201);
  const job = v2JobSchema.parse(JSON.parse(text));
  expect(answer.headers.get('location')).toBe(job.urls.self);
  return job;
}

async function refused(answer: Response, status: number, code: string) {
  const text = await answer.text();
  expect(answer.status, text).toBe(status);
  expectNoSecrets(text);
  const { error } = v2ErrorSchema.parse(JSON.parse(text));
  expect(error.code).toBe(code);
  return error;
}

const jobOf = async (t: TestBridge, id: string) =>
  v2JobSchema.parse(await (await t.get(`/api/v2/jobs/${id}`)).json());

test('a graph of the caller runs, its seed to the last digit, with previews asked for', async () => {
  await using t = await startBridge();
  const text = JSON.stringify({ workflow: await readGraph() });
  const withSeed = text.replace(/"seed":\d+/, '"seed":18446744073709551615');
  expect(withSeed).not.toBe(text);
  const job = await accepted(await post(t, withSeed));
  expect(job).toMatchObject({ outputs: [], error: null });
  const run = await t.sim.nextPrompt();
  expect(run.extraData['preview_method']).toBe('auto');
  const shown = await t.get(`/api/v2/jobs/${job.id}/workflow`);
  expect(await shown.clone().text()).toContain('18446744073709551615');
  expect(v2JobWorkflowSchema.parse(await shown.json())).toMatchObject({ format: 'api' });
  await run.finish({ images: 2 });
  await expect.poll(async () => (await jobOf(t, job.id)).status, { timeout: 10_000 }).toBe('succeeded');
  expect((await jobOf(t, job.id)).outputs).toHaveLength(2);
});

test.each<[string, (graph: Graph) => unknown, string]>([
  ["the editor's own format", () => ({ nodes: [], links: [] }), 'workflow_format_ui'],
  ['a graph without nodes', () => ({}), 'invalid_workflow'],
  ['a node that is none', () => ({ '1': [] }), 'invalid_workflow'],
  [
    'an unknown class',
    (graph) => ({ ...graph, '99': { class_type: 'NoSuchNode', inputs: {} } }),
    'invalid_workflow',
  ],
  [
    'a model that nobody has',
    (graph) => edit(graph, 'CheckpointLoaderSimple', 'ckpt_name', 'sdxl-missing.safetensors'),
    'invalid_workflow',
  ],
  ['a link to nowhere', (graph) => edit(graph, 'KSampler', 'model', ['404', 0]), 'invalid_workflow'],
  ['too many steps', (graph) => edit(graph, 'KSampler', 'steps', 1_000_000), 'invalid_workflow'],
  [
    'an asset that is not there',
    (graph) => edit(graph, 'CLIPTextEncode', 'text', reference('9f8a1c0d-2b3e-4f56-8a7b-1c2d3e4f5a6b')),
    'missing_asset',
  ],
  [
    'a malformed asset reference',
    (graph) => edit(graph, 'CLIPTextEncode', 'text', reference(7)),
    'missing_asset',
  ],
])('%s is refused before anything is queued', async (_what, change, code) => {
  await using t = await startBridge();
  const error = await refused(await post(t, { workflow: change(await readGraph()) }), 422, code);
  expect(error.message.length).toBeGreaterThan(10);
  expect(t.sim.counters['POST /prompt']).toBeUndefined();
});

function edit(graph: Graph, classType: string, input: string, value: unknown): Graph {
  const node = Object.values(graph).find(({ class_type }) => class_type === classType);
  if (node === undefined) throw new Error(`no ${classType}`);
  node.inputs[input] = value;
  return graph;
}

const reference = (id: unknown) => ({ __type: 'core/ASSET', info: { id } });

test('what is wrong with each node is told for programs, too', async () => {
  await using t = await startBridge();
  const graph = edit(await readGraph(), 'KSampler', 'model', ['404', 0]);
  const { details, message } = await refused(await post(t, { workflow: graph }), 422, 'invalid_workflow');
  expect(message).toContain('(KSampler): model: it is linked to node "404"');
  expect(details).toEqual({
    node_errors: {
      '3': [{ field: 'model', reason: 'bad_linked_input', message: expect.any(String) }],
    },
  });
});

test.each([
  ['no body', ''],
  ['no object', '[]'],
  ['no workflow', '{}'],
  ['a workflow that is a list', '{"workflow": []}'],
  ['a reserved field', '{"workflow": {}, "webhook_url": "https://example.org"}'],
  ['named inputs, which are reserved', '{"workflow": {}, "inputs": {}}'],
  ['unknown extra data', '{"workflow": {}, "extra_data": {"client_id": "x"}}'],
])('%s is refused in the words of the contract', async (_what, body) => {
  await using t = await startBridge();
  await refused(await post(t, body), 422, 'invalid_request');
});

test('a key is used once, and is free again after a refusal', async () => {
  await using world = await startWorld();
  const headers = { 'idempotency-key': 'one' };
  const graph = await readGraph();
  {
    await using t = await world.start();
    await refused(await post(t, { workflow: {} }, headers), 422, 'invalid_workflow');
    const both = await Promise.all([
      post(t, { workflow: graph }, headers),
      post(t, { workflow: graph }, headers),
    ]);
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 422]);
    await refused(await post(t, { workflow: {} }, headers), 422, 'idempotency_key_reuse');
    // Another account's keys are its own.
    await accepted(await post(t, { workflow: graph }, { ...headers, authorization: 'Bearer another' }));
    await refused(
      await post(t, { workflow: graph }, { 'idempotency-key': 'no spaces' }),
      422,
      'invalid_request',
    );
  }
  await using later = await world.start();
  await refused(await post(later, { workflow: graph }, headers), 422, 'idempotency_key_reuse');
});

test('keys expire after a day', async () => {
  const clock = { now: Date.now() };
  await using t = await startBridge({ overrides: { now: () => clock.now } });
  const headers = { 'idempotency-key': 'one' };
  const graph = await readGraph();
  await accepted(await post(t, { workflow: graph }, headers));
  clock.now += 23.9 * 3_600_000;
  await refused(await post(t, { workflow: graph }, headers), 422, 'idempotency_key_reuse');
  clock.now += 0.2 * 3_600_000;
  await accepted(await post(t, { workflow: graph }, headers));
});

test('a full queue says when to come back', async () => {
  await using t = await startBridge({ env: { MAX_QUEUED_JOBS: '1', BACKEND_SLOTS: '1' } });
  await submit(t, 'ahead');
  await t.sim.nextPrompt();
  await submit(t, 'waiting');
  const answer = await post(t, { workflow: await readGraph() });
  expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
  await refused(answer, 429, 'queue_full');
});

test('without any ComfyUI that was ever reached nothing can be checked, and it says so', async () => {
  await using t = await startBridge({ sims: 0, env: { COMFYUI_SERVERS: '127.0.0.1:9' }, ready: false });
  const answer = await post(t, { workflow: await readGraph() });
  expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
  await refused(answer, 429, 'deployment_not_ready');
});

test('the key for paid nodes reaches the ComfyUI with its prompt, and is written down nowhere', async () => {
  await using world = await startWorld();
  const secret = 'comfyui-very-secret';
  await using t = await world.start();
  const job = await accepted(
    await post(t, { workflow: await readGraph(), extra_data: { api_key_comfy_org: secret } }),
  );
  const run = await world.sim.nextPrompt();
  expect(run.extraData['api_key_comfy_org']).toBe(secret);
  await run.finish({ images: 1 });
  await expect.poll(async () => (await jobOf(t, job.id)).status, { timeout: 10_000 }).toBe('succeeded');
  for (const path of [`/api/v2/jobs/${job.id}/workflow`, `/api/bridge/jobs/${job.id}`])
    expect(await (await t.get(path)).text()).not.toContain(secret);
  for (const name of ['bridge.sqlite', 'bridge.sqlite-wal', 'jobs.sqlite', 'jobs.sqlite-wal']) {
    const bytes = await readFile(join(world.dataDir, name)).catch(() => Buffer.alloc(0));
    expect(bytes.includes(secret)).toBe(false);
  }
});

test('a job whose key was lost with the process says so instead of running without it', async () => {
  await using world = await startWorld();
  const before = await world.start({ env: { BACKEND_SLOTS: '1' } });
  await submit(before, 'ahead');
  const ahead = await world.sim.nextPrompt();
  const body = { workflow: await readGraph(), extra_data: { api_key_comfy_org: 'secret' } };
  const { id } = await accepted(await post(before, body));
  await before[Symbol.asyncDispose]();
  await using t = await world.start();
  await ahead.finish({ images: 1 });
  await expect.poll(async () => (await jobOf(t, id)).status, { timeout: 10_000 }).toBe('failed');
  expect((await jobOf(t, id)).error?.message).toMatch(/key .* submit the job again/);
});

test.each([
  ['loopback', {}, {}, 201],
  ['loopback', {}, { 'x-forwarded-for': '192.0.2.7' }, 403],
  ['operator', { OPERATOR_TOKEN: 'a-token-of-operators' }, {}, 403],
  [
    'operator',
    { OPERATOR_TOKEN: 'a-token-of-operators' },
    { authorization: 'Bearer a-token-of-operators' },
    201,
  ],
  ['everyone', {}, { 'x-forwarded-for': '192.0.2.7' }, 201],
] as const)(
  'with graphs allowed for %s (%j), a caller with %j gets %i',
  async (allow, env, headers, status) => {
    await using t = await startBridge({ env: { ALLOW_ANY_WORKFLOW: allow, ...env } });
    const answer = await post(t, { workflow: await readGraph() }, headers);
    if (status === 201) await accepted(answer);
    else {
      const { message } = await refused(answer, 403, 'forbidden');
      expect(message).toContain('ALLOW_ANY_WORKFLOW');
    }
  },
);

test('the graph of a published workflow stays its author’s', async () => {
  await using t = await startBridge();
  const { jobId } = await submit(t, 'one');
  const far = { headers: { 'x-forwarded-for': '192.0.2.7' } };
  await refused(await t.get(`/api/v2/jobs/${jobId}/workflow`, far), 403, 'forbidden');
  expect((await t.get(`/api/v2/jobs/${jobId}/workflow`)).status).toBe(200);
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  await ended(t, 'one');
});
