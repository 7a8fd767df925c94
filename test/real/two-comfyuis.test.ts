/**
 * The bridge in front of two real ComfyUIs that differ: runs only where `COMFY_URL` and `OTHER_COMFY_URL` name them. Each
 * must have what the other lacks: the first a checkpoint, the second the nodes of `test/contract/trace_nodes`. Two such
 * start from one checkout: the first with `--disable-all-custom-nodes`, the second with `--base-directory` and there models
 * and nodes of its own.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { ended } from '../../packages/bridge/tests/_requests.ts';
import { startBridge } from '../../packages/bridge/tests/_start-bridge.ts';
import type { TestBridge } from '../../packages/bridge/tests/_start-bridge.ts';

const urls = [process.env['COMFY_URL'], process.env['OTHER_COMFY_URL']];

type Graph = Record<string, { class_type: string; inputs: Record<string, unknown> }>;

describe.runIf(urls.every((url) => url !== undefined))('two real ComfyUIs that differ', () => {
  let dir: string;
  let checkpoint: string;
  let otherCheckpoint: string | undefined;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'real-workflows-'));
    const [mine = [], theirs = []] = await Promise.all(urls.map((url) => checkpointsOf(url ?? '')));
    checkpoint = mine.find((name) => !theirs.includes(name)) ?? '';
    otherCheckpoint = theirs.find((name) => name.includes('/') && !mine.includes(name));
    expect(checkpoint, 'the first ComfyUI has a checkpoint that the second lacks').not.toBe('');
    const files = {
      'first-only': sample(checkpoint),
      'second-only': trace(),
      ...(otherCheckpoint !== undefined && { spelled: sample(otherCheckpoint.replaceAll('/', '\\')) }),
      nobody: sample('a-file-that-nobody-has.safetensors'),
    };
    for (const [name, prompt] of Object.entries(files)) {
      await writeFile(join(dir, `${name}.json`), JSON.stringify(prompt));
    }
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  const start = () =>
    startBridge({
      sims: 0,
      env: {
        COMFYUI_SERVERS: `first=${urls[0]},second=${urls[1]}`,
        WORKFLOW_DIR: dir,
        LIMIT_TIMEOUT_COUNT: '600',
      },
    });

  async function run(t: TestBridge, workflow: string): Promise<string[]> {
    const body = { workflow: `${workflow}.json` };
    const answer = await t.post(`/generate-based-workflow?clientId=${workflow}`, body);
    expect(answer.status, await answer.text()).toBe(200);
    const job = await ended(t, workflow).catch(() => waitLonger(t, workflow));
    expect(job.state.status).toBe('succeeded');
    return job.attempts.map(({ backend }) => backend);
  }

  test('each job runs where it can, in one attempt, and the placement says why not elsewhere', async () => {
    await using t = await start();
    expect(await run(t, 'second-only')).toEqual(['second']);
    expect(await run(t, 'first-only')).toEqual(['first']);
    const placement = await (await t.get('/api/bridge/workflows/first-only.json/placement')).json();
    expect(placement).toMatchObject({
      choice: 'first',
      backends: [
        { backend: 'first', verdict: 'free' },
        { backend: 'second', verdict: 'unable', lacks: [{ input: 'ckpt_name', value: checkpoint }] },
      ],
    });
  }, 180_000);

  test('a Windows spelling of a file in a folder is rewritten to that of the machine that has it', async ({
    skip,
  }) => {
    if (otherCheckpoint === undefined) skip('the second ComfyUI has no checkpoint in a folder');
    await using t = await start();
    expect(await run(t, 'spelled')).toEqual(['second']);
  }, 180_000);

  test('what nobody has is refused at once, by name', async () => {
    await using t = await start();
    const answer = await t.post('/generate-based-workflow?clientId=x', { workflow: 'nobody.json' });
    expect(answer.status).toBe(503);
    expect(await answer.text()).toMatch(/first lacks .*a-file-that-nobody-has.*; second lacks /);
  });
});

/** On a CPU even a small picture takes longer than the tests' usual patience. */
async function waitLonger(t: TestBridge, clientId: string) {
  for (let round = 0; round < 15; round += 1) {
    const job = await ended(t, clientId).catch(() => undefined);
    if (job !== undefined) return job;
  }
  throw new Error(`${clientId} did not end`);
}

async function checkpointsOf(url: string): Promise<string[]> {
  return (await (await fetch(`${url}/models/checkpoints`)).json()) as string[];
}

function sample(ckpt_name: string): Graph {
  return {
    '1': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name } },
    '2': { class_type: 'CLIPTextEncode', inputs: { text: 'a cat', clip: ['1', 1] } },
    '3': { class_type: 'EmptyLatentImage', inputs: { width: 128, height: 128, batch_size: 1 } },
    '4': {
      class_type: 'KSampler',
      inputs: {
        model: ['1', 0],
        positive: ['2', 0],
        negative: ['2', 0],
        latent_image: ['3', 0],
        seed: Date.now(),
        steps: 2,
        cfg: 7.5,
        sampler_name: 'euler',
        scheduler: 'normal',
        denoise: 1,
      },
    },
    '5': { class_type: 'VAEDecode', inputs: { samples: ['4', 0], vae: ['1', 2] } },
    '6': { class_type: 'SaveImage', inputs: { images: ['5', 0], filename_prefix: 'two' } },
  };
}

function trace(): Graph {
  return {
    '1': { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 0 } },
    '2': {
      class_type: 'TraceStep',
      inputs: { image: ['1', 0], steps: 3, seconds: 0.05, preview: false, seed: Date.now() },
    },
    '3': { class_type: 'SaveImage', inputs: { images: ['2', 0], filename_prefix: 'two' } },
  };
}
