import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { v2JobSchema } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { as, assetOf, fromHash, otherPng, photo, png, pngHash, postAsset, refused } from './_assets.ts';
import { picture } from './_files-fixtures.ts';
import { ended, runJob } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';
import { startWorld } from './_world.ts';

const hour = 3_600_000;
const uploadsOf = (dataDir: string) => readdir(join(dataDir, 'uploads'));

/** A graph that loads that asset, scales it and saves it. */
function graphOf(id: string) {
  return {
    '1': { class_type: 'LoadImage', inputs: { image: { __type: 'core/ASSET', info: { id } } } },
    '2': {
      class_type: 'ImageScaleBy',
      inputs: { image: ['1', 0], upscale_method: 'lanczos', scale_by: 2 },
    },
    '3': { class_type: 'SaveImage', inputs: { images: ['2', 0], filename_prefix: 'x' } },
  };
}

async function submitGraph(t: TestBridge, id: string, headers: Record<string, string> = {}) {
  const answer = await t.post('/api/v2/jobs', { workflow: graphOf(id) }, { headers });
  const text = await answer.text();
  expect(answer.status, text).toBe(201);
  return v2JobSchema.parse(JSON.parse(text));
}

test('an asset outlives the process, and its end does not move', async () => {
  await using world = await startWorld();
  const before = await (async () => {
    await using t = await world.start();
    return await assetOf(postAsset(t, { headers: as('one') }), 201);
  })();
  await using t = await world.start();
  const after = await assetOf(t.get(`/api/v2/assets/${before.id}`, { headers: as('one') }), 200);
  expect(after.expires_at).toBe(before.expires_at);
  const again = await assetOf(postAsset(t, { headers: as('one') }), 200);
  expect(again.created_new).toBe(false);
  expect(await uploadsOf(world.dataDir)).toHaveLength(1);
});

test('an expired asset is as if it had never been, and its file goes with the last one', async () => {
  await using world = await startWorld();
  let ahead = 0;
  const overrides = { now: () => Date.now() + ahead };
  {
    await using t = await world.start({ overrides });
    const short = await assetOf(postAsset(t, { fields: [...photo, ['expires_in', '3600']] }), 201);
    const long = await assetOf(postAsset(t, { fields: [...photo, ['expires_in', '604800']] }), 200);
    expect(Date.parse(short.expires_at ?? '') - Date.now()).toBeLessThanOrEqual(hour);
    ahead = 2 * hour;
    await refused(t.get(`/api/v2/assets/${short.id}`), 404, 'not_found');
    await refused(t.get(`/api/v2/assets/${short.id}/content`), 404, 'not_found');
    await refused(t.get(`/api/v2/assets/${short.id}`, { method: 'DELETE' }), 404, 'not_found');
    await assetOf(t.get(`/api/v2/assets/${long.id}`), 200);
  }
  // Longer than uploads are kept by default: the asset says otherwise.
  ahead = 3 * 24 * hour;
  {
    await using t = await world.start({ overrides });
    await assetOf(fromHash(t, { hash: pngHash }), 201);
    expect(await uploadsOf(world.dataDir)).toHaveLength(1);
  }
  ahead = 8 * 24 * hour;
  await using t = await world.start({ overrides });
  await expect.poll(() => uploadsOf(world.dataDir)).toEqual([]);
  await refused(fromHash(t, { hash: pngHash }), 404, 'blob_not_found');
  expect(t.errors).toEqual([]);
});

test('a job that is queued runs although its asset was deleted meanwhile', async () => {
  await using t = await startBridge({ env: { BACKEND_SLOTS: '1' } });
  const asset = await assetOf(postAsset(t), 201);
  await submitGraph(t, asset.id);
  const running = await t.sim.nextPrompt();
  const waiting = await submitGraph(t, asset.id);
  expect((await t.get(`/api/v2/assets/${asset.id}`, { method: 'DELETE' })).status).toBe(204);
  const missing = await t.post('/api/v2/jobs', { workflow: graphOf(asset.id) });
  await refused(missing, 422, 'missing_asset');
  await running.finish({ images: 1 });
  const run = await t.sim.nextPrompt();
  await run.finish({ images: 1 });
  await expect
    .poll(async () => v2JobSchema.parse(await (await t.get(`/api/v2/jobs/${waiting.id}`)).json()).status)
    .toBe('succeeded');
  expect(t.sim.counters['POST /upload/image']).toBe(2);
});

test('using an asset puts off its end, unless its caller had set one', async () => {
  let ahead = 0;
  await using t = await startBridge({ overrides: { now: () => Date.now() + ahead } });
  const usual = await assetOf(postAsset(t), 201);
  const own = await assetOf(postAsset(t, { fields: [...photo, ['expires_in', '86400']] }), 200);
  ahead = 12 * hour;
  await submitGraph(t, usual.id);
  await submitGraph(t, own.id);
  ahead = 30 * hour;
  await assetOf(t.get(`/api/v2/assets/${usual.id}`), 200);
  await refused(t.get(`/api/v2/assets/${own.id}`), 404, 'not_found');
});

test("an output is the next job's input, after it was delivered as well", async () => {
  await using t = await startBridge({ env: { BACKEND_SLOTS: '1' } });
  await runJob(t, 'first');
  const { state } = await ended(t, 'first');
  const id = state.status === 'succeeded' ? (state.results[0]?.id ?? '') : '';
  await submitGraph(t, id);
  const running = await t.sim.nextPrompt();
  const waiting = await submitGraph(t, id);
  // One copy does for both.
  expect(await uploadsOf(t.dataDir)).toHaveLength(1);
  await (await t.get('/history?clientId=first')).arrayBuffer();
  await running.finish({ images: 1 });
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  await expect
    .poll(async () => v2JobSchema.parse(await (await t.get(`/api/v2/jobs/${waiting.id}`)).json()).status)
    .toBe('succeeded');
  await refused(await t.post('/api/v2/jobs', { workflow: graphOf(id) }), 422, 'missing_asset');
});

test("another account's asset is missing to a job", async () => {
  await using t = await startBridge();
  const asset = await assetOf(postAsset(t, { headers: as('one') }), 201);
  const answer = await t.post('/api/v2/jobs', { workflow: graphOf(asset.id) }, { headers: as('two') });
  await refused(answer, 422, 'missing_asset');
  await submitGraph(t, asset.id, as('one'));
});

test('what does not fit the quota is refused and not kept; bytes that are there need no room', async () => {
  await using t = await startBridge({ sims: 0, env: { STORAGE_QUOTA: '0.001' } });
  const large = await picture(600, 400).png({ compressionLevel: 0 }).toBuffer();
  expect(large.length).toBeGreaterThan(600_000);
  await assetOf(postAsset(t, { bytes: large }), 201);
  await refused(postAsset(t, { bytes: large.subarray(0, -1), headers: as('two') }), 500, 'upstream_error');
  await assetOf(postAsset(t, { bytes: png }), 201);
  await assetOf(postAsset(t, { bytes: otherPng }), 201);
  expect(await uploadsOf(t.dataDir)).toHaveLength(3);
});
