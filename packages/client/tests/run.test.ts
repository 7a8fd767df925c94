import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { startBridge } from '../../bridge/tests/_start-bridge.ts';
import { createBridge as createBrowserBridge } from '../src/index.ts';
import type { Progress, StatusUpdate } from '../src/node.ts';
import { JobCanceledError, JobFailedError } from '../src/node.ts';
import { clientOf, closingFetch, readPicture, watchedFetch } from './_client.ts';

test('run: uploads the file, tells status, progress, previews and outputs, and gives the outputs', async () => {
  await using t = await startBridge();
  const bridge = clientOf(t.url);
  const heard: { statuses: StatusUpdate[]; progress: Progress[]; previews: Blob[]; early: string[] } = {
    statuses: [],
    progress: [],
    previews: [],
    early: [],
  };
  const previewed = Promise.withResolvers<void>();
  const running = bridge.run(
    'image-to-image',
    {
      text: 'a castle',
      image: new File([await readPicture()], 'castle.png', { type: 'image/png' }),
      steps: 4,
    },
    {
      onStatus: (status) => heard.statuses.push(status),
      onProgress: (progress) => heard.progress.push(progress),
      onPreview: ({ blob }) => {
        heard.previews.push(blob);
        previewed.resolve();
      },
      onOutput: ({ name }) => heard.early.push(name),
    },
  );
  const run = await t.sim.nextPrompt();
  expect(JSON.stringify(run.prompt['6'])).toContain('a castle');
  expect(run.prompt['15']?.inputs['steps']).toBe(4);
  const sent = t.sim.readFile('input', String(run.prompt['10']?.inputs['image']));
  expect(Buffer.from(sent ?? [])).toEqual(await readPicture());
  run.progress(2, 4, '15');
  run.preview();
  await previewed.promise;
  await run.finish({ images: 2 });
  const { job, outputs } = await running;

  expect(job).toMatchObject({ status: 'succeeded', error: null });
  expect(heard.statuses.at(-1)).toMatchObject({ status: 'succeeded' });
  expect(heard.progress.some(({ step, steps }) => step === 2 && steps === 4)).toBe(true);
  expect(heard.previews[0]?.type).toMatch(/^image\//);
  expect(heard.early.toSorted()).toEqual(outputs.map(({ name }) => name).toSorted());
  expect(outputs).toHaveLength(2);
  for (const output of outputs) {
    expect(output).toMatchObject({ type: 'image', contentType: 'image/png', nodeId: '9' });
    const bytes = await output.bytes();
    expect(bytes).toHaveLength(output.size);
    expect(Buffer.from(bytes.subarray(1, 4)).toString()).toBe('PNG');
    const blob = await output.blob();
    expect(blob.type).toBe('image/png');
    expect(new Uint8Array(await blob.arrayBuffer())).toEqual(bytes);
    expect(new Uint8Array(await new Response(await output.stream()).arrayBuffer())).toEqual(bytes);
    expect(await output.text()).toBe(new TextDecoder().decode(bytes));
  }
  expect(t.errors).toEqual([]);
});

test('save writes the file whole, and leaves nothing else beside it', async () => {
  await using t = await startBridge({ sim: { mode: 'free', runMs: 0 } });
  await using folder = await temporaryFolder();
  const { outputs } = await clientOf(t.url).run('text-to-image', { prompt: 'a pond' });
  const path = join(folder.path, 'pond.png');
  await outputs[0]?.save(path);
  expect(new Uint8Array(await readFile(path))).toEqual(await outputs[0]?.bytes());
  await expect(outputs[0]?.save(join(folder.path, 'missing/pond.png'))).rejects.toThrow('ENOENT');
  expect(await readdir(folder.path)).toEqual(['pond.png']);
});

test('a file that could not be fetched whole is not there at all', async () => {
  await using t = await startBridge({ sim: { mode: 'free', runMs: 0 } });
  await using folder = await temporaryFolder();
  const { fetch } = watchedFetch(async ({ path }, send) => {
    if (!path.includes('/results/') && !path.endsWith('/content')) return send();
    let sent = false;
    const pull = (controller: ReadableStreamDefaultController) => {
      if (sent) controller.error(new TypeError('terminated'));
      else controller.enqueue(new Uint8Array(10));
      sent = true;
    };
    return new Response(new ReadableStream({ pull }));
  });
  const { outputs } = await clientOf(t.url, { fetch }).run('text-to-image', {});
  await expect(outputs[0]?.save(join(folder.path, 'pond.png'))).rejects.toThrow('terminated');
  expect(await readdir(folder.path)).toEqual([]);
});

test('a file may come as bytes, a blob without a name, a stream, a path, an asset id or an output', async () => {
  await using t = await startBridge();
  await using folder = await temporaryFolder();
  const bridge = clientOf(t.url);
  const png = await readPicture();
  const path = join(folder.path, 'from a path.png');
  await writeFile(path, png);
  const asset = await bridge.upload(new Uint8Array(png));
  const forms = {
    bytes: new Uint8Array(png),
    buffer: new Uint8Array(png).buffer,
    blob: new Blob([png], { type: 'image/png' }),
    untyped: new Blob([png]),
    stream: new Blob([png]).stream(),
    path: { path },
    text: asset,
    asset: { asset },
    reference: { __type: 'core/ASSET' as const, info: { id: asset } },
  };
  for (const [form, image] of Object.entries(forms)) {
    const job = await bridge.submit('upscale', { picture: image });
    const run = await t.sim.nextPrompt();
    const sent = t.sim.readFile('input', String(run.prompt['1']?.inputs['image']));
    expect(Buffer.from(sent ?? []), form).toEqual(png);
    await run.finish({ images: 1 });
    await job.result();
  }
});

test('an output of one job is the input of the next', async () => {
  await using t = await startBridge({ sim: { mode: 'free', runMs: 0 } });
  const bridge = clientOf(t.url);
  const { outputs } = await bridge.run('text-to-image', { prompt: 'a pond' });
  const { job } = await bridge.run('upscale', { picture: { asset: outputs[0]?.id ?? '' } });
  expect(job.status).toBe('succeeded');
});

test('a browser has no paths: the error says what to do', async () => {
  await using t = await startBridge({ sim: { mode: 'free', runMs: 0 } });
  const bridge = createBrowserBridge({ url: t.url, fetch: closingFetch });
  await expect(bridge.run('upscale', { picture: { path: '/etc/passwd' } })).rejects.toMatchObject({
    code: 'not_in_browser',
  });
  const { outputs } = await bridge.run('text-to-image', {});
  await expect(outputs[0]?.save('x.png')).rejects.toMatchObject({ code: 'not_in_browser' });
});

test('a job that fails rejects with its code, its message and the job', async () => {
  await using t = await startBridge();
  const running = clientOf(t.url).run('text-to-image', { prompt: 'a pond' });
  running.catch(() => {});
  (await t.sim.nextPrompt()).fail({ message: 'no luck', nodeId: '3' });
  const error = await running.catch((error: unknown) => error);
  expect(error).toBeInstanceOf(JobFailedError);
  expect(error).toMatchObject({ code: 'node_execution_error', job: { status: 'failed' } });
  expect(String(error)).toContain('no luck');
});

test('a job that somebody else cancels rejects as canceled', async () => {
  await using t = await startBridge();
  const bridge = clientOf(t.url);
  const handle = await bridge.submit('text-to-image', {});
  const result = handle.result().catch((error: unknown) => error);
  await t.sim.nextPrompt();
  expect((await bridge.job(handle.id).cancel()).status).toMatch(/^cancel/);
  expect(await result).toBeInstanceOf(JobCanceledError);
  expect((await handle.refresh()).status).toBe('canceled');
});

test('refusals keep the code, the status and the words of the server', async () => {
  await using t = await startBridge();
  const bridge = clientOf(t.url);
  await expect(bridge.run('no-such-workflow', {})).rejects.toMatchObject({
    name: 'BridgeError',
    status: 404,
  });
  await expect(bridge.run('text-to-image', { nonsense: 1 })).rejects.toThrow('nonsense');
  await expect(bridge.run('upscale', { picture: new Blob(['#!/bin/sh']) })).rejects.toMatchObject({
    code: 'file_refused',
  });
  await expect(bridge.job('00000000-0000-4000-8000-000000000000').result()).rejects.toMatchObject({
    code: 'not_found',
    status: 404,
  });
  await expect(bridge.submit('text-to-image', { seed: [1, 2] as never })).rejects.toThrow('runAll');
  expect(() => clientOf('nonsense')).toThrow('http://127.0.0.1:8000');
});

test('priority, previews, webhook and key go with the submit; wide seeds keep every digit', async () => {
  await using t = await startBridge({ env: { WEBHOOK_ALLOW: '*' } });
  const { fetch, requests } = watchedFetch();
  const bridge = clientOf(t.url, { fetch, apiKey: 'secret-of-mine' });
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  const webhook = { url: 'https://example.org/hook', secret, events: ['job.failed' as const] };
  const options = { priority: 6, previews: true, webhook, idempotencyKey: 'mine' };
  const first = await bridge.submit('text-to-image', { seed: 18_446_744_073_709_551_615n }, options);
  const again = await bridge.submit('text-to-image', { seed: 18_446_744_073_709_551_615n }, options);
  expect(again.id).toBe(first.id);
  expect(requests[0]).toMatchObject({
    body: { previews: true, webhook, inputs: { seed: '18446744073709551615' } },
  });
  expect(requests[0]?.headers.get('priority')).toBe('u=6');
  expect(requests[0]?.headers.get('idempotency-key')).toBe('mine');
  expect(requests[0]?.headers.get('authorization')).toBe('Bearer secret-of-mine');
  expect((await t.bridge.ledger.get(first.id as never))?.priority).toBe(-3);
});

test('workflows and their inputs can be asked for', async () => {
  await using t = await startBridge();
  const bridge = clientOf(`${t.url}/`);
  const workflows = await bridge.workflows();
  expect(workflows.map(({ alias }) => alias)).toContain('image-to-image');
  const { inputs, input_schema: schema } = await bridge.workflow('upscale');
  expect(inputs.map(({ name }) => name)).toEqual(['picture', 'factor', 'method']);
  expect(schema).toMatchObject({ type: 'object', additionalProperties: false });
});

test('under a sub-path, every link leads to the bridge', async () => {
  await using t = await startBridge({ env: { BASE_PATH: '/comfy' }, sim: { mode: 'free', runMs: 0 } });
  expect(t.url).toMatch(/\/comfy$/);
  for (const url of [t.url, `${t.url}/`]) {
    const { fetch, requests } = watchedFetch();
    const bridge = clientOf(url, { fetch });
    const { outputs } = await bridge.run('upscale', { picture: new Blob([await readPicture()]) });
    expect(await outputs[0]?.bytes()).toHaveLength(outputs[0]?.size ?? -1);
    const group = await bridge.runAll('text-to-image', [{ prompt: 'a' }, { prompt: 'b' }]);
    expect(group.map(({ ok }) => ok)).toEqual([true, true]);
    for (const { path } of requests) expect(path).toMatch(/^\/comfy\/api\//);
  }
});

test('links: over TLS if the bridge is, whatever it takes itself for; the key goes to nobody else', async () => {
  const output = {
    node_id: '9',
    type: 'image',
    content_type: 'image/png',
    size_bytes: 4,
    id: '1',
    hash: null,
  };
  const outputs = ['http://example.org/comfy/one', '/comfy/two', 'https://elsewhere.example/three'].map(
    (url) => ({ ...output, url }),
  );
  const seen: [string, string | null][] = [];
  const bridge = clientOf('https://example.org/comfy', {
    apiKey: 'secret',
    fetch: async (input, init) => {
      seen.push([String(input), new Headers(init?.headers).get('authorization')]);
      if (String(input).endsWith('/events')) return new Response('none', { status: 501 });
      if (!String(input).endsWith('/7')) return new Response('data');
      return Response.json({ id: '7', status: 'succeeded', progress: null, outputs });
    },
  });
  const result = await bridge.job('7').result();
  for (const each of result.outputs) expect(await each.text()).toBe('data');
  expect(seen.slice(2)).toEqual([
    ['https://example.org/comfy/one', 'Bearer secret'],
    ['https://example.org/comfy/two', 'Bearer secret'],
    ['https://elsewhere.example/three', null],
  ]);
  expect(seen[1]).toEqual(['https://example.org/comfy/api/bridge/jobs/7', 'Bearer secret']);
});

async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), 'client-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
