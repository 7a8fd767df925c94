import type { UploadOptions } from 'tus-js-client';
import { expect, test } from 'vitest';

import { accessModes } from './_access.ts';
import { as, assetOf, photo, postAsset, refused } from './_assets.ts';
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

test.each<[string, Partial<UploadOptions> & { bytes?: Buffer }, number, string]>([
  ['a type that is not allowed', { metadata: { filename: 'a.exe', filetype: 'x/y' } }, 400, 'file_refused'],
  [
    'a type that its name does not say',
    { metadata: { filename: 'a.png', filetype: 'video/mp4' } },
    400,
    'file_refused',
  ],
  ['no name', { metadata: {} }, 400, 'bad_request'],
  ['a name that leaves', { metadata: { filename: '../a.png' } }, 400, 'bad_request'],
  ['a life too short', { metadata: { ...photoMetadata, expires_in: '1' } }, 400, 'bad_request'],
  ['too much', { bytes: Buffer.alloc(12 * 1024 * 1024) }, 413, 'too_large'],
])('%s is refused before anything is sent', async (_what, options, status, code) => {
  await using t = await start({ env: { RESUMABLE_MAX_SIZE: '10' } });
  const { error } = await send(t, options);
  const response = (error as { originalResponse?: { getStatus(): number; getBody(): string } })
    .originalResponse;
  expect(response?.getStatus(), response?.getBody()).toBe(status);
  expect(JSON.parse(response?.getBody() ?? '')).toMatchObject({ error: { code } });
  expect(await partialOf(t.dataDir)).toEqual([]);
});

test('a file that turns out to be something else is refused at its end, and leaves nothing', async () => {
  await using t = await start();
  const { error, upload } = await send(t, { bytes: Buffer.alloc(2 * 1024 * 1024, 'x') });
  expect(String(error)).toContain('file_refused');
  expect(await partialOf(t.dataDir)).toEqual([]);
  expect(await uploadsOf(t.dataDir)).toEqual([]);
  await refused(t.get(`/api/v2/assets/${idOf(upload)}`), 404, 'not_found');
  expect(t.errors).toEqual([]);
});

test('only the account that began an upload may go on with it', async () => {
  await using t = await start();
  const path = await begin(t, 10, as('one'));
  const unknown = await refused(step(t, 'GET', '/9f8a1c0d-2b3e-4f56-8a7b-1c2d3e4f5a6b'), 404, 'not_found');
  expect((await step(t, 'HEAD', path, { headers: as('two') })).status).toBe(404);
  expect(await refused(patch(t, path, 0, Buffer.from('x'), as('two')), 404, 'not_found')).toBe(unknown);
  await refused(step(t, 'DELETE', path, { headers: as('two') }), 404, 'not_found');
  expect((await step(t, 'HEAD', path, { headers: as('one') })).status).toBe(200);
});

test('an unfinished upload expires', async () => {
  await using world = await startWorld();
  let ahead = 0;
  const overrides = { now: () => Date.now() + ahead };
  let path = '';
  {
    await using t = await world.start({ overrides });
    path = await begin(t);
    expect((await patch(t, path, 0, big.subarray(0, 1_000))).status).toBe(204);
    ahead = 25 * 3_600_000;
    expect((await step(t, 'HEAD', path)).status).toBe(404);
    await refused(patch(t, path, 1_000, big.subarray(1_000)), 404, 'not_found');
  }
  await using t = await world.start({ overrides });
  await expect.poll(() => partialOf(world.dataDir)).toEqual([]);
  expect(t.errors).toEqual([]);
});

test('unfinished uploads count against the quota, over a restart too', async () => {
  await using world = await startWorld();
  const options = { env: { STORAGE_QUOTA: '0.01', UPLOAD_MAX_SIZE: '100' } };
  let path = '';
  {
    await using t = await world.start(options);
    path = await begin(t, 9_000_000);
    expect((await patch(t, path, 0, big.subarray(0, 8_000_000))).status).toBe(204);
    const another = await step(t, 'POST', '', {
      headers: { 'upload-length': '5000000', 'upload-metadata': toMetadata(photoMetadata) },
    });
    await refused(another, 507, 'storage_full');
  }
  await using t = await world.start(options);
  await refused(postAsset(t, { bytes: big, fields: photo }), 500, 'upstream_error');
  expect((await step(t, 'DELETE', path)).status).toBe(204);
  await assetOf(postAsset(t, { bytes: big, fields: photo }), 201);
});

test('what does not fit any more is refused while it streams, and can be gone on with when there is room', async () => {
  await using t = await start({ env: { STORAGE_QUOTA: '0.01' } });
  const [first, second] = [await begin(t), await begin(t)];
  expect((await patch(t, first, 0, big.subarray(0, 8_000_000))).status).toBe(204);
  await refused(patch(t, second, 0, big), 507, 'storage_full');
  const head = await step(t, 'HEAD', second);
  const offset = Number(head.headers.get('upload-offset'));
  expect(offset).toBeLessThan(2_000_000);
  expect((await step(t, 'DELETE', first)).status).toBe(204);
  expect((await patch(t, second, offset, big.subarray(offset))).status).toBe(204);
  await assetOf(t.get(`/api/v2/assets${second}`), 200);
  expect(t.errors).toEqual([]);
});

test.each(accessModes)('a request in another version is told which one we speak (%s)', async (access) => {
  await using t = await start({ access });
  const answer = await step(t, 'POST', '', { headers: { 'tus-resumable': '0.2.2', 'upload-length': '10' } });
  expect(answer.headers.get('tus-version')).toBe('1.0.0');
  await refused(answer, 412, 'bad_request');
  const options = await step(t, 'OPTIONS', '');
  expect(options.status).toBe(204);
  expect(options.headers.get('tus-extension')).toBe('creation,creation-with-upload,termination,expiration');
  expect(options.headers.get('tus-max-size')).toBe(String(2048 * 1024 * 1024));
});

test('a page of an allowed origin may send in pieces and read how far it is', async () => {
  await using t = await start({ env: { CORS_ORIGINS: 'https://app.example' } });
  const origin = 'https://app.example';
  const preflight = await step(t, 'OPTIONS', '', {
    headers: {
      origin,
      'access-control-request-method': 'PATCH',
      'access-control-request-headers': 'tus-resumable,upload-offset,content-type',
    },
  });
  expect(preflight.headers.get('access-control-allow-headers')).toMatch(/Tus-Resumable.*Upload-Offset/);
  expect(preflight.headers.get('access-control-allow-methods')).toContain('PATCH');
  const begun = await step(t, 'POST', '', {
    headers: { origin, 'upload-length': '10', 'upload-metadata': toMetadata(photoMetadata) },
  });
  expect(begun.headers.get('access-control-allow-origin')).toBe(origin);
  expect(begun.headers.get('access-control-expose-headers')).toMatch(/Location.*Upload-Offset/);
});
