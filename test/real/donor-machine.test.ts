/**
 * A real ComfyUI that is lent to the bridge and taken back, from `install` to `uninstall`: runs only where `COMFY_CHECKOUT`
 * names the folder of its main.py and `COMFY_PYTHON` a Python that can run it, e.g.
 * `COMFY_CHECKOUT=~/ComfyUI COMFY_PYTHON=~/ComfyUI/venv/bin/python npm test -- test/real/donor-machine`.
 * It works on a copy; the checkout stays as it is. Needs no model and no GPU, but Linux: there every 127.x.y.z is loopback.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { workflowsDir } from '../../packages/bridge/tests/_start-bridge.ts';
import { describeTree } from '../../packages/patch-cli/tests/_tree.ts';
import { startBridgeProcess } from '../faults/_bridge-process.ts';
import type { BridgeProcess } from '../faults/_bridge-process.ts';
import { findFreePort } from '../faults/_free-port.ts';
import { createCaller } from './_bridge-caller.ts';
import type { BridgeCaller } from './_bridge-caller.ts';
import { startComfy } from './_comfy-process.ts';
import type { ComfyProcess } from './_comfy-process.ts';
import { copyCheckout } from './_copy-checkout.ts';
import { buildPatchCli, patch } from './_patch-cli.ts';

const { COMFY_CHECKOUT: checkout, COMFY_PYTHON: python } = process.env;
const isAsked = checkout !== undefined && python !== undefined;
const walker = join(import.meta.dirname, '../../packages/comfy-extension/donor_tests/walk_routes.py');
const orphanSeconds = 3;
const patient = { timeout: 120_000, interval: 100 };

// One after the other, each on what the one before has left.
describe.runIf(isAsked)('a real ComfyUI that is lent', { timeout: 300_000 }, () => {
  let dir: string;
  let tree: string;
  let before: string;
  let port: number;
  let token: string;
  let comfy: ComfyProcess;
  let bridge: BridgeProcess;
  let caller: BridgeCaller;
  let ownFiles: string[];

  const start = (entry: 'main.py' | 'main_adapted.py') =>
    startComfy({ python: python ?? '', tree, entry, port, data: join(dir, 'data') });

  beforeAll(async () => {
    dir = await realpath(await mkdtemp(join(tmpdir(), 'donor-machine-')));
    tree = join(dir, 'ComfyUI');
    port = await findFreePort();
    await copyCheckout(checkout ?? '', tree);
    before = describeTree(tree);
    await buildPatchCli();
  }, 120_000);

  afterAll(async () => {
    await caller?.[Symbol.asyncDispose]();
    await bridge?.[Symbol.asyncDispose]();
    await comfy?.[Symbol.asyncDispose]();
    await rm(dir, { recursive: true, force: true, maxRetries: 3 });
  }, 60_000);

  let hasFailed = false;
  beforeEach(({ skip }) => skip(hasFailed, 'a step before it has failed'));
  afterEach(({ task }) => {
    hasFailed ||= task.result?.state === 'fail';
  });

  test('install gives it a token', async ({ annotate }) => {
    const version = await readFile(join(tree, 'comfyui_version.py'), 'utf8').catch(() => 'an old version');
    await annotate(`ComfyUI ${version.trim().split('\n').at(-1) ?? ''}, tree ${digest(before)}`);
    const installed = await patch('install', tree, '--port', String(port));
    expect(installed).toMatchObject({ ok: true, what: 'done', token: expect.stringMatching(/^[\w-]{43}$/) });
    token = installed.token ?? '';
    expect(describeTree(tree)).not.toBe(before);
    const settings = join(tree, '.comfy-bridge/donor.json');
    await writeFile(
      settings,
      JSON.stringify({ ...JSON.parse(await readFile(settings, 'utf8')), orphanSeconds }),
    );
  });

  test('started with main_adapted.py, it is lent to whoever has the token', async () => {
    comfy = await start('main_adapted.py');
    const lent = { state: 'available', lockedDown: true, reason: null };
    expect(await comfy.ask('/comfy-bridge/status', { token })).toMatchObject({ status: 200, json: lent });
    expect(await comfy.ask('/system_stats', { token: 'some-other-token-1234' })).toEqual({
      status: 403,
      json: { error: 'forbidden' },
    });
    ownFiles = await comfy.pictures();
  });

  test('every route there is is closed to strangers, and to the bridge but for what it needs', async ({
    annotate,
  }) => {
    const routes = join(dir, 'data/routes.json');
    const walk = [walker, comfy.url, routes, '--token', token];
    const { stdout } = await promisify(execFile)(python ?? '', walk).catch(
      (error: { stdout: string }) => error,
    );
    await annotate(stdout.trim());
    expect(stdout).not.toMatch(/WRONG/);
    expect(Number(/^(\d+) paths/.exec(stdout)?.[1])).toBeGreaterThan(50);
  });

  test('the bridge runs a workflow with a caller’s picture there', async () => {
    bridge = await startBridgeProcess({
      backends: [`lent=${comfy.url};token=${token}`],
      // A ComfyUI that computes is slow to answer.
      env: { WORKFLOW_DIR: await createWorkflows(dir), PROBE_TIMEOUT: '5', CONNECT_TIMEOUT: '5' },
    });
    caller = createCaller(() => bridge.url);
    const image = await caller.upload(await createPicture());
    const crop = { '2/x': 600, '2/y': 10, '2/width': 64, '2/height': 48, '4/width': 128, '4/height': 96 };
    const jobId = await caller.submit('crop-and-resize', { '1/image': image, ...crop });
    await caller.expectSuccess(jobId, ['succeeded']);
    const results = await caller.results('crop-and-resize');
    expect(results).toHaveLength(1);
    const picture = sharp(results[0]);
    expect(await picture.metadata()).toMatchObject({ width: 128, height: 96 });
    const { dominant } = await picture.stats();
    expect(dominant.b).toBeGreaterThan(180);
    expect(dominant.r).toBeLessThan(80);
  });

  test('nothing of it is left there', async () => {
    await expectNothingLeft();
  });

  test('while its owner pauses it a job waits, and goes on when it is lent again', async () => {
    const jobId = await caller.submit('slow', { '1/image': await caller.upload(await createPicture()) });
    await expect.poll(running, patient).toHaveLength(1);
    const paused = await comfy.ask('/comfy-bridge/pause', { body: { minutes: 30 } });
    expect(paused).toMatchObject({ status: 200, json: { state: 'paused', reason: 'command' } });
    const reason = expect.stringMatching(/is paused by its owner until \d{4}-/);
    await expect
      .poll(() => caller.backend('lent'), patient)
      .toMatchObject({ status: 'paused', mode: 'active', reason, lending: { reason: 'command' } });
    await expect.poll(running, patient).toEqual([]);
    await expect
      .poll(() => caller.job(jobId), patient)
      .toMatchObject({ status: 'queued', waits_because: reason });
    expect(await patch('resume', '--url', comfy.url)).toMatchObject({ ok: true, state: 'available' });
    await expect
      .poll(() => caller.backend('lent'), patient)
      .toMatchObject({ status: 'ready', lending: { state: 'available' } });
    await caller.expectSuccess(jobId, ['moved', 'succeeded']);
    await expectNothingLeft();
  });

  test('a bridge that dies leaves nothing running, and runs the job again when it is back', async ({
    annotate,
  }) => {
    const jobId = await caller.submit('slow', {
      '1/image': await caller.upload(await createPicture('#20c040')),
    });
    await expect.poll(running, patient).toHaveLength(1);
    const [promptId = ''] = await running();
    await bridge.kill9();
    const killedAt = performance.now();
    await expect.poll(running, { timeout: 20_000, interval: 50 }).toEqual([]);
    const seconds = (performance.now() - killedAt) / 1000;
    await annotate(`taken for dead after ${seconds.toFixed(1)} s`);
    expect(seconds).toBeGreaterThan(orphanSeconds - 1);
    expect(JSON.stringify(await comfy.ask(`/history/${promptId}`, { token }))).toContain(
      'execution_interrupted',
    );
    await bridge.start();
    await caller.expectSuccess(jobId, ['moved', 'succeeded']);
    await expectNothingLeft();
  });

  test('uninstall leaves the very tree of before, and its main.py starts', async ({ annotate }) => {
    await bridge.term();
    await comfy.stop();
    expect(await patch('uninstall', tree, '--port', String(port))).toMatchObject({ ok: true, what: 'done' });
    const after = describeTree(tree);
    await annotate(`tree ${digest(after)}`);
    expect(after.split('\n')).toEqual(before.split('\n'));
    comfy = await start('main.py');
    expect(await comfy.ask('/system_stats')).toMatchObject({ status: 200, json: { system: {} } });
    expect((await comfy.ask('/comfy-bridge/status')).status).toBe(404);
    expect(describeTree(tree)).toBe(before);
  });

  /** The prompts that its owner sees running or waiting. */
  async function running(): Promise<string[]> {
    return parseQueue((await comfy.ask('/queue')).json);
  }

  async function expectNothingLeft(): Promise<void> {
    await expect.poll(() => comfy.pictures(), patient).toEqual(ownFiles);
    for (const who of [{}, { token }])
      await expect.poll(() => comfy.ask('/history', who), patient).toEqual({ status: 200, json: {} });
  }
});

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** One of the published samples, and one that runs for ten seconds. */
async function createWorkflows(dir: string): Promise<string> {
  const folder = await mkdtemp(join(dir, 'workflows-'));
  await copyFile(join(workflowsDir, 'crop-and-resize.json'), join(folder, 'crop-and-resize.json'));
  const slow = {
    1: {
      class_type: 'LoadImage',
      inputs: { image: 'none.png' },
      _meta: { title: 'Picture', apiinput: 'image' },
    },
    2: {
      class_type: 'TraceStep',
      inputs: { image: ['1', 0], steps: 50, seconds: 0.2, preview: false, seed: 1 },
    },
    3: { class_type: 'SaveImage', inputs: { images: ['2', 0], filename_prefix: 'slow' } },
  };
  await writeFile(join(folder, 'slow.json'), JSON.stringify(slow));
  return folder;
}

/** Its right half is blue. */
async function createPicture(left = '#c83214'): Promise<Buffer> {
  const half = (width: number, background: string) =>
    sharp({ create: { width, height: 1024, channels: 3, background } }).png();
  return half(1024, left)
    .composite([{ input: await half(512, '#1432c8').toBuffer(), left: 512, top: 0 }])
    .toBuffer();
}

function parseQueue(json: unknown): string[] {
  const { queue_running, queue_pending } = json as Record<string, [number, string][]>;
  return [...(queue_running ?? []), ...(queue_pending ?? [])].map(([, id]) => id);
}
