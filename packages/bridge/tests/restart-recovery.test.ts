import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startSim } from '@comfy-bridge/comfy-sim';
import type { SimOptions } from '@comfy-bridge/comfy-sim';
import type { Base64Results } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { ended, parseBody, submit, uploadOne } from './_requests.ts';
import { startBridge, workflowsDir } from './_start-bridge.ts';

/** A ComfyUI and a data directory that outlive the bridge. */
async function startWorld(options: SimOptions = {}) {
  await using parts = new AsyncDisposableStack();
  const sim = parts.use(await startSim(options));
  const dataDir = await mkdtemp(join(tmpdir(), 'bridge-restart-'));
  parts.defer(() => rm(dataDir, { recursive: true, force: true }));
  const env = { JOB_STORE: 'sqlite', COMFYUI_SERVERS: sim.address, BACKEND_SLOTS: '1' };
  const owned = parts.move();
  return { sim, options: { sims: 0, dataDir, env }, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

test('jobs that waited or ran are done after a restart, in their old order, under the same clientId', async () => {
  await using world = await startWorld({ mode: 'free', runMs: 400 });
  const { sim, options } = world;
  const clients = ['runs', 'next', 'waits'];
  {
    await using t = await startBridge(options);
    for (const clientId of clients) await submit(t, clientId, { '6/text': clientId });
    await expect.poll(() => sim.queue().running.length).toBe(1);
  }
  await using t = await startBridge(options);
  for (const clientId of clients) {
    expect(await ended(t, clientId)).toMatchObject({ state: { status: 'succeeded' } });
    const { files } = await parseBody<Base64Results>(t.get(`/history?clientId=${clientId}&resType=base64`));
    expect(files).toHaveLength(1);
  }
  const submitted = sim.requests.filter(({ method, path }) => method === 'POST' && path === '/prompt');
  const texts = submitted.map(({ body }) => /"text":"(runs|next|waits)"/.exec(JSON.stringify(body))?.[1]);
  expect([...new Set(texts)]).toEqual(clients);
  expect(await parseBody(t.get('/generation-count'))).toBe(3);
  expect(t.errors).toEqual([]);
});

test('results that were not fetched and reasons of failures are there after a restart; delivered ones are not', async () => {
  await using world = await startWorld();
  const { sim, options } = world;
  {
    await using t = await startBridge(options);
    for (const clientId of ['kept', 'delivered']) {
      await submit(t, clientId);
      await (await sim.nextPrompt()).finish({ images: 1 });
      await ended(t, clientId);
    }
    await submit(t, 'failed');
    (await sim.nextPrompt()).fail({ message: 'no luck' });
    await ended(t, 'failed');
    const delivered = t.nextEvent('job:delivered');
    await (await t.get('/history?clientId=delivered')).arrayBuffer();
    await delivered;
  }
  await using t = await startBridge(options);
  expect((await t.get('/history?clientId=kept')).status).toBe(200);
  expect((await t.get('/history?clientId=delivered')).status).toBe(204);
  expect((await t.get('/history?clientId=failed')).status).toBe(400);
  expect(await (await t.get('/execution-info?clientId=failed')).json()).toMatchObject({ status: 'error' });
});

test('uploads survive, before and after a job names them', async () => {
  await using world = await startWorld({ mode: 'free', runMs: 200 });
  const { sim, options } = world;
  const png = await readFile(join(workflowsDir, 'input/sample_a.png'));
  let saved = '';
  {
    await using t = await startBridge(options);
    saved = await uploadOne(t, png);
    await submit(t, 'first');
    await submit(t, 'one', { workflow: 'image-to-image', '10/image': saved });
  }
  await using t = await startBridge(options);
  await submit(t, 'two', { workflow: 'image-to-image', '10/image': saved });
  for (const clientId of ['one', 'two']) {
    expect(await ended(t, clientId)).toMatchObject({ state: { status: 'succeeded' } });
  }
  const staged = sim.files('input').filter((name) => name.startsWith('bridge/'));
  expect(staged.length).toBeGreaterThan(0);
  for (const name of staged) expect(Buffer.from(sim.readFile('input', name) ?? []).equals(png)).toBe(true);
});
