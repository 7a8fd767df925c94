import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { Comfy } from '@comfyorg/sdk';
import { afterEach, expect, test, vi } from 'vitest';

import { largePng, png, pngHash } from './_assets.ts';
import { startBridge, workflowsDir } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';

afterEach(() => vi.unstubAllEnvs());

/** The official SDK takes its address from the environment alone. */
function createClient(t: TestBridge, apiKey = 'ck_one'): Comfy {
  vi.stubEnv('COMFY_BASE_URL', t.url);
  return new Comfy({ apiKey });
}

test('the official SDK uploads bytes once, finds them again by their hash, and deletes them', async () => {
  await using t = await startBridge({ sims: 0, env: { BASE_PATH: '/comfy' } });
  const client = createClient(t);
  const first = client.assets.fromBytes(png, { filename: 'photo.png' });
  const id = await first.commit();
  expect([first.createdNew, await first.hash()]).toEqual([true, pngHash]);
  const again = client.assets.fromBytes(png, { filename: 'photo.png' });
  expect([await again.commit(), again.createdNew]).toEqual([id, false]);
  const other = client.assets.fromBytes(png, { filename: 'other.png' });
  expect(await other.commit()).not.toBe(id);
  expect(other.createdNew).toBe(false);

  const found = await client.assets.get(id);
  expect([found.id, found.filePath, await found.hash(), found.jobId]).toEqual([
    id,
    'photo.png',
    pngHash,
    undefined,
  ]);
  expect(Date.parse(found.expiresAt ?? '')).toBeGreaterThan(Date.now());
  await client.assets.delete(id);
  await expect(client.assets.get(id)).rejects.toMatchObject({ code: 'not_found' });
  await expect(client.assets.delete(id)).rejects.toMatchObject({ code: 'not_found' });
  await expect(createClient(t, 'ck_two').assets.get(other.id ?? '')).rejects.toMatchObject({
    code: 'not_found',
  });
  expect(t.errors).toEqual([]);
});

test('the official SDK streams files from the disk', async () => {
  await using t = await startBridge({ sims: 0 });
  const path = join(t.dataDir, 'big.png');
  await writeFile(path, largePng);
  const client = createClient(t);
  const asset = client.assets.fromFile(path);
  await asset.commit();
  expect([asset.createdNew, asset.filePath]).toEqual([true, 'big.png']);
  const again = client.assets.fromFile(path);
  expect([await again.commit(), again.createdNew]).toEqual([asset.id, false]);
  await again.delete();
  expect(again.id).toBeUndefined();
});

test('the official SDK runs a graph with an asset, and takes its output as the input of the next', async () => {
  await using t = await startBridge({ sim: { mode: 'free', runMs: 20 } });
  const client = createClient(t);
  const workflow = await client.workflows.fromFile(join(workflowsDir, 'upscale.json'));
  workflow.setInput('1', 'image', client.assets.fromBytes(png, { filename: 'photo.png' }));
  const job = await client.run(workflow);
  const [output] = job.outputs;
  const bytes = await output?.toBytes();
  expect(bytes).toHaveLength(output?.sizeBytes ?? -1);
  const path = join(t.dataDir, 'output.png');
  await output?.toFile(path);
  expect((await readFile(path)).equals(Buffer.from(bytes ?? []))).toBe(true);

  workflow.setInput('1', 'image', await client.assets.get(output?.id ?? ''));
  const next = await client.run(workflow);
  expect(next.outputs).toHaveLength(1);
  expect(t.errors).toEqual([]);
});

test('a file that is refused is told by name to the official SDK', async () => {
  await using t = await startBridge({ sims: 0 });
  const asset = createClient(t).assets.fromBytes(png, { filename: 'photo.jpg' });
  await expect(asset.commit()).rejects.toMatchObject({
    code: 'file_refused',
    message: expect.stringContaining('photo.jpg: its content is PNG'),
  });
});
