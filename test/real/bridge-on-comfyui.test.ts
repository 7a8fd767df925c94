/**
 * The bridge in front of a real ComfyUI, with nothing but its own nodes: runs only where `COMFY_URL` names one, e.g.
 * `COMFY_URL=http://127.0.0.1:8188 npm test -- test/real`.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startBridge, workflowsDir } from '../../packages/bridge/tests/_start-bridge.ts';
import type { TestBridge } from '../../packages/bridge/tests/_start-bridge.ts';
import { openSocket } from '../../packages/bridge/tests/_ws-client.ts';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const comfyUrl = process.env['COMFY_URL'];

describe.runIf(comfyUrl !== undefined)('a real ComfyUI', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'real-workflows-'));
    await writeFile(join(dir, 'slow.json'), JSON.stringify(slowPrompt(60)));
    await writeFile(join(dir, 'broken.json'), JSON.stringify(brokenPrompt()));
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  const start = (workflows: string) =>
    startBridge({
      sims: 0,
      env: { COMFYUI_SERVERS: comfyUrl ?? '', WORKFLOW_DIR: workflows, GRACE_SECONDS: '0' },
    });

  test.each([
    ['upscale', 1],
    ['blend', 1],
    ['crop-and-resize', 1],
    ['batch', 3],
    ['enhance', 1],
    ['flip-and-rotate', 1],
  ])('%s gives %i decodable picture(s)', async (workflow, count) => {
    await using t = await start(workflowsDir);
    const ended = t.nextEvent('job:finished');
    expect((await t.post(`/generate-based-workflow?clientId=${workflow}`, { workflow })).status).toBe(200);
    expect((await ended).job.state).toMatchObject({ status: 'succeeded' });
    const answer = await t.get(`/history?clientId=${workflow}&resType=base64`);
    const { files } = await parseFiles(answer);
    expect(files).toHaveLength(count);
    for (const { content } of files) {
      const { width } = await sharp(Buffer.from(content, 'base64')).metadata();
      expect(width).toBeGreaterThan(0);
    }
  });

  test('an uploaded picture is what comes out, scaled', async () => {
    await using t = await start(workflowsDir);
    const picture = await sharp({ create: { width: 40, height: 30, channels: 3, background: '#c83214' } })
      .png()
      .toBuffer();
    const form = new FormData();
    form.append('image', new Blob([new Uint8Array(picture)], { type: 'image/png' }), 'red.png');
    const upload = await t.post('/upload?clientId=u', undefined, { body: form });
    const { image }: { image: string } = JSON.parse(await upload.text());
    const info = await (await t.get('/workflow-info?workflow=upscale')).text();
    const [key] =
      Object.entries<{ format?: string }>(JSON.parse(info)).find(([, entry]) => entry.format === 'image') ??
      [];
    const ended = t.nextEvent('job:finished');
    await t.post('/generate-based-workflow?clientId=u', { workflow: 'upscale', [key ?? '']: image });
    expect((await ended).job.state).toMatchObject({ status: 'succeeded' });
    const { files } = await parseFiles(await t.get('/history?clientId=u&resType=base64'));
    const { dominant } = await sharp(Buffer.from(files[0]?.content ?? '', 'base64')).stats();
    expect(dominant.r).toBeGreaterThan(180);
    expect(dominant.g).toBeLessThan(80);
  });

  test('a node that fails tells its own reason, without paths', async () => {
    await using t = await start(dir);
    const form = new FormData();
    form.append('image', new Blob(['this is no picture']), 'bridge-test-broken.png');
    form.append('overwrite', 'true');
    await fetch(`${comfyUrl}/upload/image`, { method: 'POST', body: form });
    using client = await openSocket(`${t.wsUrl}/ws?clientId=broken`);
    await t.post('/generate-based-workflow?clientId=broken', { workflow: 'broken.json' });
    const { detail } = await client.next('error');
    expect(detail).toMatch(/LoadImage|Load Image|1/);
    expect(detail).not.toMatch(/\/[\w.-]+\/|Traceback|\.py/);
    expect((await t.get('/history?clientId=broken')).status).toBe(400);
  });

  test('a client that leaves stops its job there, and the next one runs', async () => {
    await using t = await start(dir);
    const client = await openSocket(`${t.wsUrl}/ws?clientId=leaver`);
    await t.post('/generate-based-workflow?clientId=leaver', {
      workflow: 'slow.json',
      '1/color': Date.now() % 16_000_000,
    });
    await client.next('progress');
    const ended = t.nextEvent('job:finished');
    client.socket.terminate();
    expect((await ended).job.state.status).toBe('canceled');
    expect(await promptsThere(t)).toEqual({ running: [], pending: [] });
  });

  test('an interrupt stops that job alone', async () => {
    await using t = await start(dir);
    using first = await openSocket(`${t.wsUrl}/ws?clientId=first`);
    using second = await openSocket(`${t.wsUrl}/ws?clientId=second`);
    const color = Date.now() % 16_000_000;
    await t.post('/generate-based-workflow?clientId=first', { workflow: 'slow.json', '1/color': color });
    await first.next('progress');
    await t.post('/generate-based-workflow?clientId=second', {
      workflow: 'slow.json',
      '1/color': color + 1,
      '1/width': 64,
      '1/height': 64,
    });
    const ended = t.nextEvent('job:finished', ({ job }) => job.clientId === 'second');
    await t.post('/interrupt?clientId=first');
    expect(await first.next('error')).toMatchObject({ detail: 'the job was interrupted' });
    expect((await ended).job.state.status).toBe('succeeded');
    expect(await second.next('closed')).toMatchObject({ detail: 'Execution is done' });
  });
});

async function promptsThere(t: TestBridge) {
  const [backend] = t.bridge.fleet.backends;
  return backend?.client.queue();
}

async function parseFiles(answer: Response): Promise<{ files: { content: string; file_name: string }[] }> {
  expect(answer.status).toBe(200);
  return JSON.parse(await answer.text());
}

/** Many nodes, each a good part of a second on a CPU: ComfyUI looks for an interrupt between nodes. */
function slowPrompt(nodes: number): object {
  const prompt: Record<string, object> = {
    1: {
      class_type: 'EmptyImage',
      inputs: { width: 1024, height: 1024, batch_size: 1, color: 255 },
      _meta: { title: 'Picture', apiinput: 'color,width,height' },
    },
    2: {
      class_type: 'SaveImage',
      inputs: { filename_prefix: 'bridge-test', images: [String(nodes + 2), 0] },
    },
  };
  for (let id = 3; id <= nodes + 2; id += 1) {
    const from = id === 3 ? '1' : String(id - 1);
    prompt[id] = {
      class_type: 'ImageBlur',
      inputs: { blur_radius: 31, sigma: 1 + id / 100, image: [from, 0] },
    };
  }
  return prompt;
}

function brokenPrompt(): object {
  return {
    1: { class_type: 'LoadImage', inputs: { image: 'bridge-test-broken.png' } },
    2: { class_type: 'SaveImage', inputs: { filename_prefix: 'bridge-test', images: ['1', 0] } },
  };
}
