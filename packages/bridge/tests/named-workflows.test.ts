import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { workflowDetailSchema, workflowListSchema } from '@comfy-bridge/protocol';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import sharp from 'sharp';
import { expect, test } from 'vitest';

import { send, readJob, readRefusal } from './_named.ts';
import { parseBody } from './_requests.ts';
import { startBridge, workflowsDir } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';

const list = async (t: TestBridge) =>
  workflowListSchema.parse(await parseBody(t.get('/api/bridge/workflows')));

async function detailOf(t: TestBridge, alias: string) {
  return workflowDetailSchema.parse(
    await parseBody(t.get(`/api/bridge/workflows/${encodeURIComponent(alias)}`)),
  );
}

function validator(schema: Record<string, unknown>) {
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  return ajv.compile(schema);
}

test('the list has every published workflow with its links, and whether it can run', async () => {
  await using t = await startBridge({ sim: { models: { upscale_models: [] } } });
  const { workflows } = await list(t);
  expect(workflows).toHaveLength(9);
  expect(workflows[0]).toEqual({
    alias: 'text-to-image',
    title: 'Text to image',
    description: expect.stringMatching(/^Makes a picture/),
    thumbnail: '/api/bridge/workflows/text-to-image/thumbnail',
    inputs: 7,
    can_run: true,
    can_run_now: true,
    why_not: null,
    media_in: [],
    output_types: ['image'],
    urls: {
      self: '/api/bridge/workflows/text-to-image',
      jobs: '/api/bridge/workflows/text-to-image/jobs',
      thumbnail: '/api/bridge/workflows/text-to-image/thumbnail',
    },
  });
  expect(workflows.filter(({ can_run }) => !can_run).map(({ alias }) => alias)).toEqual([
    'upscale-with-model',
  ]);
  expect((await detailOf(t, 'upscale-with-model')).obstacles).toMatch(/lacks "RealESRGAN_x4plus.pth"/);
});

test('without a ComfyUI nothing can run; one that was not reached yet may', async () => {
  await using none = await startBridge({ sims: 0 });
  expect((await list(none)).workflows.every(({ can_run }) => !can_run)).toBe(true);
  await using away = await startBridge({ sims: 0, env: { COMFYUI_SERVERS: '127.0.0.1:9' }, ready: false });
  expect((await list(away)).workflows.every(({ can_run }) => can_run)).toBe(true);
  expect((await list(away)).workflows.every(({ can_run_now }) => can_run_now)).toBe(false);
});

test('a workflow whose machines take no work now says which, and why', async () => {
  await using t = await startBridge({ sim: { models: { upscale_models: [] } } });
  const read = async (alias: string) => {
    const { can_run, can_run_now, why_not } = await detailOf(t, alias);
    return { can_run, can_run_now, why_not };
  };
  expect(await read('text-to-image')).toEqual({ can_run: true, can_run_now: true, why_not: null });
  expect(await read('upscale-with-model')).toMatchObject({
    can_run_now: false,
    why_not: expect.stringContaining('lacks "RealESRGAN_x4plus.pth"'),
  });
  expect((await t.post('/api/bridge/backends/backend-1/pause')).status).toBe(200);
  expect(await read('text-to-image')).toEqual({
    can_run: true,
    can_run_now: false,
    why_not: 'no ComfyUI that could run it takes work now: backend-1 is paused',
  });
});

test('the list says what files go in and what comes out', async () => {
  await using t = await startBridge();
  const { workflows } = await list(t);
  const { media_in, output_types } = workflows.find(({ alias }) => alias === 'upscale') ?? {};
  expect([media_in, output_types]).toEqual([['image'], ['image']]);
});

test('the inputs of image-to-image have the names that its labels make', async () => {
  await using t = await startBridge();
  const { inputs, outputs, can_run, obstacles } = await detailOf(t, 'image-to-image');
  expect(inputs.map(({ name, key }) => [name, key])).toEqual([
    ['text', '6/text'],
    ['negative_text', '7/text'],
    ['image', '10/image'],
    ['seed', '15/seed'],
    ['steps', '15/steps'],
    ['denoise', '15/denoise'],
  ]);
  expect(inputs[2]).toEqual({
    name: 'image',
    key: '10/image',
    label: 'Image',
    title: 'Load Image',
    description: null,
    type: 'str',
    media: 'image',
    required: false,
    default: 'i2i_example.jpg',
  });
  expect(outputs).toEqual([{ node_id: '9', title: 'Save Image', types: ['image'] }]);
  expect([can_run, obstacles]).toEqual([true, null]);
});

test('64-bit limits come digit for digit', async () => {
  await using t = await startBridge();
  const text = await (await t.get('/api/bridge/workflows/text-to-image')).text();
  expect(text).toContain('"maximum":18446744073709551615');
});

test('the defaults of every workflow satisfy its schema as the fleet defines it, and run', async () => {
  await using t = await startBridge();
  for (const { alias } of (await list(t)).workflows) {
    const { input_schema, inputs } = await detailOf(t, alias);
    const defaults = Object.fromEntries(inputs.map(({ name, default: value }) => [name, value]));
    const validate = validator(input_schema);
    expect(validate(defaults), `${alias}: ${JSON.stringify(validate.errors)}`).toBe(true);
    await readJob(send(t, defaults, { workflow: alias }));
  }
});

test('the outputs of a job satisfy the schema of the outputs', async () => {
  await using t = await startBridge();
  const { output_schema } = await detailOf(t, 'upscale');
  const { id } = await readJob(send(t, {}, { workflow: 'upscale' }));
  const finished = t.nextEvent('job:finished');
  await (await t.sim.nextPrompt()).finish({ images: 2 });
  await finished;
  const { outputs } = await readJob(t.get(`/api/v2/jobs/${id}`), 200);
  expect(outputs).toHaveLength(2);
  const validate = validator(output_schema);
  expect(validate(outputs), JSON.stringify(validate.errors)).toBe(true);
  expect(validate(outputs.map((output) => ({ ...output, node_id: 'other' })))).toBe(false);
});

test('a thumbnail is a picture with its type; who has it already gets 304', async () => {
  await using t = await startBridge();
  const path = '/api/bridge/workflows/text-to-image/thumbnail';
  const picture = await t.get(path);
  expect(picture.status).toBe(200);
  expect(picture.headers.get('content-type')).toBe('image/jpeg');
  expect(await sharp(await picture.arrayBuffer()).metadata()).toMatchObject({ format: 'jpeg', width: 256 });
  const etag = picture.headers.get('etag') ?? '';
  expect(etag).toMatch(/^"blake3:/);
  const again = await t.get(path, { headers: { 'if-none-match': etag } });
  expect([again.status, await again.text()]).toEqual([304, '']);
  expect((await t.get(path, { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
});

test('no thumbnail is null in the list and 404; neither is what only claims to be a picture', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bridge-workflows-'));
  await cp(workflowsDir, folder, { recursive: true });
  await writeFile(
    join(folder, 'workflow_alias.json'),
    JSON.stringify([
      { alias: 'plain', fn: 'upscale.json' },
      { alias: 'script', fn: 'blend.json', thumbnail: 'x.png' },
    ]),
  );
  await writeFile(
    join(folder, 'thumbnail', 'x.png'),
    '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
  );
  {
    await using t = await startBridge({ sims: 0, env: { WORKFLOW_DIR: folder } });
    for (const alias of ['plain', 'script']) {
      const entry = (await list(t)).workflows.find((workflow) => workflow.alias === alias);
      expect([entry?.thumbnail, entry?.urls.thumbnail]).toEqual([null, null]);
      expect(await readRefusal(t.get(`/api/bridge/workflows/${alias}/thumbnail`))).toMatchObject({
        status: 404,
      });
    }
  }
  await rm(folder, { recursive: true, force: true });
});

test('an unknown workflow is 404 and says which there are', async () => {
  await using t = await startBridge({ sims: 0 });
  for (const path of ['', '/thumbnail']) {
    const refusal = await readRefusal(t.get(`/api/bridge/workflows/nope${path}`));
    expect(refusal).toMatchObject({ status: 404, code: 'not_found' });
    expect(refusal.message).toContain('Known workflows: text-to-image');
  }
  expect(await readRefusal(send(t, {}, { workflow: 'nope' }))).toMatchObject({
    status: 404,
    code: 'not_found',
  });
});

test('under a base path every link holds it', async () => {
  await using t = await startBridge({ env: { BASE_PATH: '/comfy' } });
  const [entry] = (await list(t)).workflows;
  expect(entry?.urls).toEqual({
    self: '/comfy/api/bridge/workflows/text-to-image',
    jobs: '/comfy/api/bridge/workflows/text-to-image/jobs',
    thumbnail: '/comfy/api/bridge/workflows/text-to-image/thumbnail',
  });
  const answer = await send(t, {});
  const job = await readJob(answer);
  expect(answer.headers.get('location')).toBe(`/comfy/api/v2/jobs/${job.id}`);
  const { origin } = new URL(t.url);
  const init = { headers: { connection: 'close' } };
  expect((await fetch(`${origin}${entry?.thumbnail}`, init)).status).toBe(200);
  expect((await fetch(`${origin}${answer.headers.get('location')}`, init)).status).toBe(200);
});
