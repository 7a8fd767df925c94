import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { hashContent } from '../src/lib/content-hash.ts';
import { assetOf, fromHash, photo, png, pngHash, postAsset, refused } from './_assets.ts';
import { rawConnection } from './_requests.ts';
import {
  begin,
  big,
  idOf,
  partialOf,
  patch,
  photoMetadata,
  send,
  start,
  step,
  toMetadata,
  uploadsOf,
} from './_tus.ts';
import { startWorld } from './_world.ts';

test('a file larger than an upload may be arrives in pieces and is an asset of the same id', async () => {
  expect(big.length).toBeGreaterThan(8 * 1024 * 1024);
  await using t = await start({ env: { BASE_PATH: '/comfy' } });
  const { upload, error } = await send(t, { metadata: { ...photoMetadata, expires_in: '3600' } });
  expect(error).toBeUndefined();
  expect(upload.url).toMatch(new RegExp(`^${t.url}/api/bridge/uploads/[0-9a-f-]{36}$`));
  const asset = await assetOf(fetch(upload.url ?? '', { headers: { connection: 'close' } }), 200);
  expect(asset).toMatchObject({
    id: idOf(upload),
    hash: hashContent(big),
    size_bytes: big.length,
    file_path: 'deep/big.png',
    content_type: 'image/png',
  });
  expect(Date.parse(asset.expires_at ?? '') - Date.now()).toBeLessThanOrEqual(3_600_000);
  const content = await fetch(asset.url, { headers: { connection: 'close' } });
  expect(Buffer.from(await content.arrayBuffer()).equals(big)).toBe(true);
  expect(await partialOf(t.dataDir)).toEqual([]);
  expect(t.errors).toEqual([]);
});

test('an upload goes on over a broken line and a restart of the bridge', async () => {
  await using world = await startWorld();
  const options = { env: { UPLOAD_MAX_SIZE: '1' } };
  let path = '';
  {
    await using t = await world.start(options);
    const { upload, error } = await send(t, { stopAfter: 3 * 1024 * 1024 });
    expect(error).toBeDefined();
    path = new URL(upload.url ?? '').pathname;
  }
  expect(await partialOf(world.dataDir)).toHaveLength(2);
  await using t = await world.start(options);
  const offsets: number[] = [];
  const { upload, error } = await send(t, {
    uploadUrl: `${t.url}${path}`,
    onProgress: (sent) => offsets.push(sent),
  });
  expect(error).toBeUndefined();
  expect(Math.min(...offsets)).toBeGreaterThanOrEqual(3 * 1024 * 1024);
  const asset = await assetOf(t.get(`/api/v2/assets/${idOf(upload)}`), 200);
  expect(asset.hash).toBe(hashContent(big));
  expect(await partialOf(world.dataDir)).toEqual([]);
});

test('an upload whose last byte came just before the process ended is an asset after the next start', async () => {
  await using world = await startWorld();
  let path = '';
  {
    await using t = await world.start();
    path = await begin(t, png.length);
  }
  await writeFile(join(world.dataDir, 'partial', path), png);
  await using t = await world.start();
  const asset = await assetOf(step(t, 'GET', path), 200);
  expect(asset).toMatchObject({ id: path.slice(1), hash: pngHash });
  await assetOf(t.get(`/api/v2/assets${path}`), 200);
  expect(await partialOf(world.dataDir)).toEqual([]);
});

test('what came before the line broke is kept to the byte', async () => {
  await using t = await start();
  const path = await begin(t);
  using line = rawConnection(t);
  line.socket.write(
    `PATCH /api/bridge/uploads${path} HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n` +
      `Content-Type: application/offset+octet-stream\r\nContent-Length: ${big.length}\r\n\r\n`,
  );
  line.socket.end(big.subarray(0, 700_001));
  await once(line.socket, 'close');
  // Who comes back at once waits until the bytes of the line before are written down, and no longer.
  const head = await step(t, 'HEAD', path, { signal: AbortSignal.timeout(2_500) });
  expect(head.headers.get('upload-offset')).toBe('700001');
  expect(head.headers.get('upload-length')).toBe(String(big.length));
  expect(Date.parse(head.headers.get('upload-expires') ?? '')).toBeGreaterThan(Date.now());
  await refused(patch(t, path, 700_000, big.subarray(700_000)), 409, 'conflict');
  expect((await patch(t, path, 700_001, big.subarray(700_001))).status).toBe(204);
  const asset = await assetOf(t.get(`/api/v2/assets${path}`), 200);
  expect(asset.hash).toBe(hashContent(big));
  expect(t.errors).toEqual([]);
});

test('after the end the upload tells that it is whole, takes no more, and goes with its asset', async () => {
  await using t = await start();
  const { upload } = await send(t);
  const path = `/${idOf(upload)}`;
  const head = await step(t, 'HEAD', path);
  expect([head.status, head.headers.get('upload-offset')]).toEqual([200, String(big.length)]);
  await refused(patch(t, path, big.length, Buffer.from('x')), 409, 'conflict');
  expect((await step(t, 'DELETE', path)).status).toBe(204);
  await refused(t.get(`/api/v2/assets${path}`), 404, 'not_found');
  await refused(step(t, 'GET', path), 404, 'not_found');
});

test('an upload can be given up, and leaves nothing', async () => {
  await using t = await start();
  const { upload } = await send(t, { stopAfter: 2 * 1024 * 1024 });
  expect(await partialOf(t.dataDir)).toHaveLength(2);
  await upload.abort(true);
  expect(await partialOf(t.dataDir)).toEqual([]);
  await refused(step(t, 'GET', `/${idOf(upload)}`), 404, 'not_found');
});

test('bytes that are there already are not kept a second time', async () => {
  await using t = await start({ env: { UPLOAD_MAX_SIZE: '100' } });
  const first = await assetOf(postAsset(t, { bytes: big, fields: photo }), 201);
  const { upload, error } = await send(t);
  expect(error).toBeUndefined();
  expect(idOf(upload)).not.toBe(first.id);
  expect(await uploadsOf(t.dataDir)).toHaveLength(1);
  await assetOf(fromHash(t, { hash: first.hash, file_path: 'deep/big.png' }), 200);
});

test('an upload that brings its bytes along is done at once', async () => {
  await using t = await start();
  const answer = await step(t, 'POST', '', {
    headers: {
      'upload-length': String(big.length),
      'upload-metadata': toMetadata(photoMetadata),
      'content-type': 'application/offset+octet-stream',
    },
    body: Uint8Array.from(big),
  });
  expect(answer.status, await answer.text()).toBe(201);
  expect(answer.headers.get('location')).toMatch(/^\/api\/bridge\/uploads\//);
  const id = answer.headers.get('location')?.split('/').at(-1) ?? '';
  await assetOf(t.get(`/api/v2/assets/${id}`), 200);
});
