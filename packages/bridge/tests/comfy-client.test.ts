import { randomUUID } from 'node:crypto';
import type { ApiPrompt } from '@comfy-bridge/protocol';
import { describe, expect, it } from 'vitest';
import { createComfyClient } from '../src/comfy/comfy-client.ts';
import { createObjectInfoReader } from '../src/comfy/object-info-reader.ts';
import { failing, graph, startRig, startServer } from './_comfy-rig.ts';

describe('submitting', () => {
  it('takes the prompt under our id', async () => {
    await using rig = await startRig();
    const promptId = randomUUID();
    const outcome = await rig.client.submitPrompt({ prompt: graph, promptId, clientId: 'c' });
    expect(outcome).toEqual({ ok: true, promptId, nodeErrors: [] });
    const run = await rig.sim.nextPrompt();
    expect(run.promptId).toBe(promptId);
    expect(run.clientId).toBe('c');
  });

  it("believes the server's id where the server makes its own", async () => {
    await using rig = await startRig({ features: { clientPromptId: false } });
    const promptId = randomUUID();
    const outcome = await rig.client.submitPrompt({ prompt: graph, promptId, clientId: 'c' });
    const run = await rig.sim.nextPrompt();
    expect(outcome).toMatchObject({ ok: true, promptId: run.promptId });
    expect(run.promptId).not.toBe(promptId);
  });

  it('keeps every digit of a seed, and keeps the marks of the author to itself', async () => {
    let body = '';
    await using server = await startServer((request, response) => {
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => response.end('{"prompt_id":"p","number":1,"node_errors":{}}'));
    });
    await using client = createComfyClient({ url: server.url, token: 'secret' });
    const prompt: ApiPrompt = {
      '1': {
        class_type: 'K',
        inputs: { seed: 18446744073709551615n },
        _meta: { title: 'T', apiinput: 'seed' },
      },
    };
    await client.submitPrompt({ prompt, promptId: 'p', clientId: 'c', previews: true });
    expect(body).toContain('"seed":18446744073709551615');
    expect(JSON.parse(body)).toMatchObject({
      prompt_id: 'p',
      client_id: 'c',
      extra_data: { preview_method: 'auto' },
    });
    expect(JSON.parse(body).prompt['1']._meta).toEqual({ title: 'T' });
    await client.submitPrompt({ prompt: graph, promptId: 'p', clientId: 'c' });
    expect(body).not.toContain('secret');
  });

  it('gives a refusal as a value, by node and input', async () => {
    await using rig = await startRig();
    const prompt: ApiPrompt = {
      ...graph,
      '2': { class_type: 'ImageScale', inputs: { ...graph['2']?.inputs, width: -5 } },
    };
    const outcome = await rig.client.submitPrompt({ prompt, promptId: randomUUID(), clientId: 'c' });
    expect(outcome).toMatchObject({
      ok: false,
      rejection: {
        type: 'prompt_outputs_failed_validation',
        nodeErrors: [{ nodeId: '2', errors: [{ type: 'value_smaller_than_min', inputName: 'width' }] }],
      },
    });
  });

  it('says which outputs will not run when the others do', async () => {
    await using rig = await startRig();
    const prompt: ApiPrompt = {
      ...graph,
      '5': { class_type: 'SaveImage', inputs: { filename_prefix: 'x' } },
    };
    const outcome = await rig.client.submitPrompt({ prompt, promptId: randomUUID(), clientId: 'c' });
    expect(outcome).toMatchObject({ ok: true, nodeErrors: [{ nodeId: '5', dependentOutputs: ['5'] }] });
  });

  it.each([
    [
      'a 500 in plain text',
      { body: 'Server got itself in trouble', status: 500, contentType: 'text/plain' },
      'status',
      500,
    ],
    ['too large', 413, 'status', 413],
    ["a proxy's 400", { body: '<html>', status: 400, contentType: 'text/html' }, 'status', 400],
    ['no id', { body: '{}', contentType: 'application/json' }, 'malformed', 200],
    ['garbage', 'garbage', 'malformed', 200],
    ['a huge answer', { hugeBytes: 20_000_000 }, 'too-large', 200],
    ['a huge answer of unknown length', { hugeBytes: 20_000_000, chunked: true }, 'too-large', 200],
    ['a reset', 'reset', 'unreachable', undefined],
    ['a broken body', 'truncate', 'unreachable', undefined],
  ] as const)('fails as a ComfyError: %s', async (_name, fault, failure, status) => {
    await using rig = await startRig();
    rig.sim.failNext('POST /prompt', fault);
    await expect(rig.submit()).rejects.toEqual(failing(failure, status));
    await expect(rig.submit(40)).resolves.toBeTypeOf('string');
  });
});

describe('history', () => {
  it('is undefined until the prompt is over, although success was announced before', async () => {
    await using rig = await startRig();
    const promptId = await rig.submit();
    const run = await rig.sim.nextPrompt();
    expect(await rig.client.history(promptId)).toBeUndefined();
    await run.finish({ images: 1 });
    await expect(rig.client.history(promptId)).resolves.toMatchObject({
      promptId,
      outcome: 'success',
      outputs: { '3': { images: [{ type: 'output' }] } },
    });
    expect(await rig.client.history(randomUUID())).toBeUndefined();
  });

  it('tells failed from interrupted', async () => {
    await using rig = await startRig();
    const failed = await rig.submit(33);
    (await rig.sim.nextPrompt()).fail({ type: 'torch.OutOfMemoryError', message: 'Allocation on device' });
    const stopped = await rig.submit(34);
    (await rig.sim.nextPrompt()).interrupt();
    await expect
      .poll(() => rig.client.history(failed))
      .toMatchObject({
        outcome: 'error',
        error: { exceptionType: 'torch.OutOfMemoryError' },
      });
    await expect.poll(() => rig.client.history(stopped)).toMatchObject({ outcome: 'interrupted' });
  });

  it('is read although Python wrote NaN into the graph', async () => {
    await using rig = await startRig();
    const body =
      '{"p":{"prompt":[1,"p",{"1":{"is_changed":NaN}}],"outputs":{},"status":{"status_str":"success"}}}';
    rig.sim.failNext('GET /history/:id', { body, contentType: 'application/json' });
    await expect(rig.client.history('p')).resolves.toMatchObject({ outcome: 'success' });
  });

  it('can be forgotten', async () => {
    await using rig = await startRig({ mode: 'free', runMs: 0 });
    const promptId = await rig.submit();
    await expect.poll(() => rig.client.history(promptId)).toBeDefined();
    await rig.client.forgetPrompts([promptId]);
    expect(rig.sim.history()).toEqual([]);
    expect(await rig.client.history(promptId)).toBeUndefined();
  });
});

describe('the queue', () => {
  it('is given in the order in which it runs, ids only', async () => {
    await using rig = await startRig();
    const ids = [];
    for (const width of [30, 31, 32, 33, 34]) ids.push(await rig.submit(width));
    await rig.sim.nextPrompt();
    expect(await rig.client.queue()).toEqual({ running: ids.slice(0, 1), pending: ids.slice(1) });
    expect(await rig.client.queueRemaining()).toBe(5);
  });

  it('is sorted by number, as the answer is a heap', async () => {
    const item = (number: number, id: string): unknown => [number, id, {}, {}, []];
    await using server = await startServer((_request, response) => {
      response.end(
        JSON.stringify({
          queue_running: [],
          queue_pending: [item(2, 'b'), item(5, 'd'), item(3, 'c'), item(-1, 'a'), null],
        }),
      );
    });
    await using client = createComfyClient({ url: server.url });
    expect(await client.queue()).toEqual({ running: [], pending: ['a', 'b', 'c', 'd'] });
  });
});

describe('what a machine is and has', () => {
  it('tells version and memory, and not its command line', async () => {
    await using rig = await startRig({ version: '0.3.70', vramTotal: 8 * 1024 ** 3 });
    const stats = await rig.client.systemStats();
    expect(stats).toMatchObject({ version: '0.3.70', devices: [{ vramTotal: 8 * 1024 ** 3 }] });
    expect(JSON.stringify(stats)).not.toContain('main.py');
  });

  it('lists node classes, which are read again only when they changed', async () => {
    await using rig = await startRig();
    await using reader = createObjectInfoReader();
    const first = await reader.read(await rig.client.objectInfo(), undefined);
    if (first.kind !== 'read') throw new Error(first.kind);
    expect(first.definitions.get('SaveImage')?.outputNode).toBe(true);
    expect(first.definitions.get('LoadImage')?.inputs.get('image')).toMatchObject({ upload: 'image' });
    const again = await reader.read(await rig.client.objectInfo(), first.bodyHash);
    expect(again).toEqual({ kind: 'same' });
    const other = await reader.read(await rig.client.objectInfo(), 'other');
    expect(other).toMatchObject({ kind: 'read', signature: first.signature, bodyHash: first.bodyHash });
  });

  it('tells by a fingerprint whether the models changed', async () => {
    await using rig = await startRig({ models: { checkpoints: ['a.safetensors'] } });
    const before = await rig.client.modelsFingerprint();
    expect(await rig.client.modelsFingerprint({ lanes: 4 })).toBe(before);
    rig.sim.setModels('loras', ['new.safetensors']);
    expect(await rig.client.modelsFingerprint()).not.toBe(before);
    rig.sim.setModels('loras', []);
    expect(await rig.client.modelsFingerprint()).toBe(before);
    const { path } = rig.sim.requests.find((request) => request.path.includes('custom_nodes')) ?? {};
    expect(path).toBeUndefined();
  });

  it('has an empty fingerprint on a version that lists no models', async () => {
    await using rig = await startRig();
    rig.sim.failNext('GET /models', 404);
    expect(await rig.client.modelsFingerprint()).toBe('');
    rig.sim.failNext('GET /models', 'garbage');
    await expect(rig.client.modelsFingerprint()).rejects.toEqual(failing('malformed', 200));
  });

  it('has no features on a version without the route', async () => {
    await using rig = await startRig();
    expect(await rig.client.features()).toMatchObject({ supports_preview_metadata: true });
    rig.sim.failNext('GET /features', 404);
    expect(await rig.client.features()).toEqual({});
  });

  it('is malformed where something else than a ComfyUI answers', async () => {
    await using server = await startServer((_request, response) => response.end('[]'));
    await using client = createComfyClient({ url: server.url });
    for (const call of [() => client.queue(), () => client.queueRemaining(), () => client.systemStats()]) {
      await expect(call()).rejects.toEqual(failing('malformed', 200));
    }
  });

  it('frees memory, although the answer is empty', async () => {
    await using rig = await startRig();
    await rig.client.free({ unloadModels: true, freeMemory: false });
    expect(rig.sim.requests.find(({ path }) => path === '/free')?.body).toEqual({
      unload_models: true,
      free_memory: false,
    });
  });
});
