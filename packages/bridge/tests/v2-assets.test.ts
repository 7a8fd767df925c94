import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { as, assetOf, fromHash, otherPng, photo, png, pngHash, postAsset, refused } from './_assets.ts';
import type { SentAsset } from './_assets.ts';
import { rawConnection } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';

const filesOf = async (dataDir: string) => [
  ...(await readdir(join(dataDir, 'uploads'))),
  ...(await readdir(join(dataDir, 'tmp'))),
];
const unknownId = '9f8a1c0d-2b3e-4f56-8a7b-1c2d3e4f5a6b';

test('an upload is an asset by the contract, whose links lead to it', async () => {
  await using t = await startBridge({ sims: 0, env: { BASE_PATH: '/comfy' } });
  const before = Date.now();
  const asset = await assetOf(postAsset(t), 201);
  expect(asset).toMatchObject({
    hash: pngHash,
    size_bytes: png.length,
    content_type: 'image/png',
    file_path: 'photo.png',
    created_new: true,
    url: `${t.url}/api/v2/assets/${asset.id}/content`,
  });
  expect(Date.parse(asset.expires_at ?? '')).toBeGreaterThanOrEqual(before + 24 * 3_600_000);
  expect(asset).not.toHaveProperty('job_id');
  const { created_new: _, ...kept } = asset;
  expect(await assetOf(t.get(`/api/v2/assets/${asset.id}`), 200)).toEqual(kept);
  expect(Buffer.from(await (await fetch(asset.url)).arrayBuffer()).equals(png)).toBe(true);
  expect(t.errors).toEqual([]);
});

test.each<[string, SentAsset]>([
  ['before the file', { fields: [...photo, ['expected_hash', pngHash], ['file', '']] }],
  [
    'behind the file',
    {
      fields: [['file', ''], ...photo, ['expected_hash', pngHash.toUpperCase().replace('BLAKE3', 'blake3')]],
    },
  ],
  [
    'around the file',
    {
      fields: [
        ['file_path', 'photo.png'],
        ['file', ''],
        ['content_type', 'image/png'],
      ],
    },
  ],
  [
    'with tags and some that nobody knows',
    { fields: [...photo, ['tags', 'a'], ['tags', 'b'], ['later', 'x']] },
  ],
  ['without a path, for which the name of the part stands', { fields: [['content_type', 'image/png']] }],
  [
    'with a path behind a file that a page calls blob',
    { fileName: 'blob', fields: [['file', ''], ...photo] },
  ],
  ['with a file that has a path for a name, as the SDKs send it', { fileName: 'deep/photo.png' }],
])('the fields may come %s', async (_what, sent) => {
  await using t = await startBridge({ sims: 0 });
  const asset = await assetOf(postAsset(t, sent), 201);
  expect(asset).toMatchObject({ hash: pngHash, file_path: 'photo.png', content_type: 'image/png' });
});

test('a path with folders is kept as it was told', async () => {
  await using t = await startBridge({ sims: 0 });
  const file_path = 'models/사진/봄 1.png';
  const asset = await assetOf(postAsset(t, { fields: [['file_path', file_path]] }), 201);
  expect(asset.file_path).toBe(file_path);
  const content = await fetch(asset.url, { headers: { connection: 'close' } });
  expect(content.headers.get('content-disposition')).toContain("filename*=UTF-8''%EB%B4%84%201.png");
  await content.arrayBuffer();
});

test('bytes that have not the expected hash are not kept', async () => {
  await using t = await startBridge({ sims: 0 });
  const fields: [string, string][] = [...photo, ['expected_hash', `blake3:${'0'.repeat(64)}`]];
  await refused(postAsset(t, { fields }), 409, 'hash_mismatch');
  expect(await filesOf(t.dataDir)).toEqual([]);
});

test.each<[string, SentAsset, string, RegExp]>([
  [
    'a hash of another kind',
    { fields: [...photo, ['expected_hash', 'sha256:00']] },
    'invalid_request',
    /^expected_hash: /,
  ],
  ['too short a life', { fields: [...photo, ['expires_in', '59']] }, 'invalid_request', /^expires_in: /],
  ['too long a life', { fields: [...photo, ['expires_in', '604801']] }, 'invalid_request', /^expires_in: /],
  ['a life in words', { fields: [...photo, ['expires_in', 'long']] }, 'invalid_request', /^expires_in: /],
  ['a path that leaves', { fields: [['file_path', '../x.png']] }, 'invalid_request', /^file_path: /],
  ['an absolute path', { fields: [['file_path', '/etc/x.png']] }, 'invalid_request', /^file_path: /],
  ['a path of Windows', { fields: [['file_path', 'C:\\x.png']] }, 'invalid_request', /^file_path: /],
  [
    'a path with a control character',
    { fields: [['file_path', 'a\u0007.png']] },
    'invalid_request',
    /^file_path: /,
  ],
  [
    'a path without end',
    { fields: [['file_path', `${'x'.repeat(600)}.png`]] },
    'invalid_request',
    /^file_path: /,
  ],
  ['an empty tag', { fields: [...photo, ['tags', '']] }, 'invalid_request', /^tags\.0: /],
  [
    'a field twice',
    { fields: [...photo, ['file_path', 'b.png']] },
    'invalid_request',
    /^file_path: is sent twice/,
  ],
  [
    'a file twice',
    { fields: [...photo, ['file', ''], ['file', '']] },
    'invalid_request',
    /^file: is sent twice/,
  ],
  [
    'a wrong type',
    {
      fields: [
        ['content_type', 'video/mp4'],
        ['file_path', 'photo.png'],
      ],
    },
    'file_refused',
    /declared as video\/mp4/,
  ],
  ['a wrong name', { fields: [['file_path', 'photo.jpg']] }, 'file_refused', /its content is PNG/],
  ['a program', { fields: [['file_path', 'photo.exe']] }, 'file_refused', /\.exe/],
  ['no bytes', { bytes: new Uint8Array() }, 'file_refused', /empty/],
  ['too many bytes', { bytes: new Uint8Array(3_000_000) }, 'too_large', /larger/],
])('%s is refused by name, and nothing is kept', async (_what, sent, code, message) => {
  await using t = await startBridge({ sims: 0, env: { UPLOAD_MAX_SIZE: '1' } });
  expect(await refused(postAsset(t, sent), 422, code)).toMatch(message);
  expect(await filesOf(t.dataDir)).toEqual([]);
});

test('a form without a file is refused', async () => {
  await using t = await startBridge({ sims: 0 });
  const body = new FormData();
  body.append('file_path', 'photo.png');
  expect(await refused(t.post('/api/v2/assets', undefined, { body }), 422, 'invalid_request')).toMatch(
    /^file: /,
  );
  await refused(t.post('/api/v2/assets', {}), 422, 'invalid_request');
});

test('an upload that is cut in the middle leaves nothing', async () => {
  await using t = await startBridge({ sims: 0 });
  using line = rawConnection(t);
  const half = png.subarray(0, png.length / 2).toString('latin1');
  line.socket.write(
    `POST /api/v2/assets HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 99999\r\n\r\n` +
      `--b\r\nContent-Disposition: form-data; name="file"; filename="photo.png"\r\n\r\n${half}`,
    'latin1',
  );
  await expect.poll(() => filesOf(t.dataDir)).toHaveLength(1);
  line.socket.destroy();
  await expect.poll(() => filesOf(t.dataDir)).toEqual([]);
  expect(t.errors).toEqual([]);
});

test('what its fields rule out is refused before its bytes have come', async () => {
  await using t = await startBridge({ sims: 0 });
  using line = rawConnection(t);
  const part = (header: string) => `--b\r\nContent-Disposition: form-data; ${header}\r\n\r\n`;
  line.socket.write(
    `POST /api/v2/assets HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 99999\r\n\r\n` +
      `${part('name="file_path"')}photo.exe\r\n${part('name="file"; filename="photo.png"')}\x89PNG`,
    'latin1',
  );
  expect(await line.until(/\}\}$/)).toMatch(/^HTTP\/1\.1 422 [^]*file_refused/);
});

test('the same bytes are stored once for an account, however often and at once they come', async () => {
  await using t = await startBridge({ sims: 0 });
  const answers = await Promise.all([postAsset(t), postAsset(t), postAsset(t)]);
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
  const assets = await Promise.all(
    answers.map((answer) => assetOf(answer, answer.status === 201 ? 201 : 200)),
  );
  expect(assets.filter(({ created_new }) => created_new === true)).toHaveLength(1);
  expect(new Set(assets.map(({ id }) => id)).size).toBe(3);
  expect(await filesOf(t.dataDir)).toHaveLength(1);

  const [first, second, third] = assets;
  for (const asset of [first, second]) {
    const path = `/api/v2/assets/${asset?.id ?? ''}`;
    expect((await t.get(path, { method: 'DELETE' })).status).toBe(204);
    await refused(t.get(path, { method: 'DELETE' }), 404, 'not_found');
  }
  const content = await t.get(`/api/v2/assets/${third?.id ?? ''}/content`);
  expect(Buffer.from(await content.arrayBuffer()).equals(png)).toBe(true);
});

test('an asset is made of a hash alone, once for each reference', async () => {
  await using t = await startBridge({ sims: 0 });
  const path = `/api/v2/assets/by-hash/${encodeURIComponent(pngHash)}`;
  expect((await t.get(path, { method: 'HEAD' })).status).toBe(404);
  await refused(fromHash(t, { hash: pngHash }), 404, 'blob_not_found');
  const uploaded = await assetOf(postAsset(t, { fields: [...photo, ['tags', 'x'], ['tags', 'y']] }), 201);
  expect((await t.get(path, { method: 'HEAD' })).status).toBe(200);

  const same = await assetOf(fromHash(t, { hash: pngHash, file_path: 'photo.png', tags: ['y', 'x'] }), 200);
  expect(same).toMatchObject({ id: uploaded.id, created_new: false });
  const other = await assetOf(fromHash(t, { hash: pngHash, file_path: 'photo.png' }), 201);
  expect(other).toMatchObject({ created_new: false, hash: pngHash, size_bytes: png.length });
  expect(other.id).not.toBe(uploaded.id);
  const longer = await assetOf(
    fromHash(t, { hash: pngHash, file_path: 'photo.png', expires_in: 600_000 }),
    200,
  );
  expect(longer.id).toBe(other.id);
  expect(longer.expires_at).not.toBe(other.expires_at);
  const shorter = await assetOf(fromHash(t, { hash: pngHash, file_path: 'photo.png', expires_in: 60 }), 200);
  expect(shorter.expires_at).toBe(longer.expires_at);

  await refused(fromHash(t, { hash: pngHash, file_path: 'photo.exe' }), 422, 'file_refused');
  await refused(fromHash(t, { hash: pngHash, file_path: 'a/../b.png' }), 422, 'invalid_request');
  await refused(fromHash(t, { hash: 'md5:1' }), 422, 'invalid_request');
  await refused(fromHash(t, { file_path: 'photo.png' }), 422, 'invalid_request');
});

test('what one account has uploaded is not there for another', async () => {
  await using t = await startBridge({ sims: 0 });
  const mine = await assetOf(postAsset(t, { headers: as('one') }), 201);
  const path = `/api/v2/assets/${mine.id}`;
  const unknown = await refused(
    t.get(`/api/v2/assets/${unknownId}`, { headers: as('two') }),
    404,
    'not_found',
  );
  for (const headers of [as('two'), {}]) {
    expect(await refused(t.get(path, { headers }), 404, 'not_found')).toBe(unknown);
    await refused(t.get(`${path}/content`, { headers }), 404, 'not_found');
    await refused(t.get(path, { method: 'DELETE', headers }), 404, 'not_found');
    await refused(fromHash(t, { hash: pngHash }, headers), 404, 'blob_not_found');
    expect((await t.get(`/api/v2/assets/by-hash/${pngHash}`, { method: 'HEAD', headers })).status).toBe(404);
  }
  // Not even that the bytes are there is told.
  const theirs = await assetOf(postAsset(t, { headers: as('two') }), 201);
  expect(theirs.created_new).toBe(true);
  await assetOf(t.get(path, { headers: { 'x-api-key': 'one' } }), 200);
});

test('an idempotency key serves one upload, and is free again when that was refused', async () => {
  await using t = await startBridge({ sims: 0 });
  const headers = { 'idempotency-key': 'k-1' };
  await refused(postAsset(t, { headers, fields: [['file_path', 'x.exe']] }), 422, 'file_refused');
  await assetOf(postAsset(t, { headers }), 201);
  await refused(postAsset(t, { headers, bytes: otherPng }), 422, 'idempotency_key_reuse');
});

test('bytes without a name are what their content says, as SDKs send them', async () => {
  await using t = await startBridge({ sims: 0 });
  const unnamed: SentAsset = {
    fields: [
      ['content_type', 'application/octet-stream'],
      ['file_path', 'upload.bin'],
      ['file', ''],
    ],
  };
  expect(await assetOf(postAsset(t, unnamed), 201)).toMatchObject({
    content_type: 'image/png',
    file_path: 'upload.bin',
  });
  expect(await filesOf(t.dataDir)).toEqual([expect.stringMatching(/\.png$/)]);
  await refused(postAsset(t, { ...unnamed, bytes: Buffer.from('MZ\u0090 a program') }), 422, 'file_refused');
  expect(await filesOf(t.dataDir)).toHaveLength(1);
});
