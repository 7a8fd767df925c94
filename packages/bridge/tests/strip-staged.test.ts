import { expect, test } from 'vitest';

import { assetOf, postAsset } from './_assets.ts';
import { picture } from './_files-fixtures.ts';
import { readRecording, secret, strip } from './_metadata.ts';
import { ended, submit, uploadOne } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';

const photo = await picture()
  .withMetadata({ orientation: 6 })
  .withExifMerge({ IFD0: { Artist: secret }, IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '37/1 33/1 0/1' } })
  .jpeg()
  .toBuffer();
/** Larger than what is kept in memory whole. */
const large = Buffer.concat([
  await picture(700, 500)
    .withExif({ IFD0: { Artist: secret } })
    .png({ compressionLevel: 0 })
    .toBuffer(),
]);

/** What the ComfyUI got of an uploaded picture. */
async function sent(t: TestBridge, bytes: Buffer, fileName: string): Promise<Buffer> {
  const saved = await uploadOne(t, bytes, fileName);
  await submit(t, 'one', { workflow: 'image-to-image', '10/image': saved });
  const run = await t.sim.nextPrompt();
  const got = Buffer.from(t.sim.readFile('input', String(run.prompt['10']?.inputs['image'])) ?? []);
  await run.finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({ state: { status: 'succeeded' } });
  return got;
}

test.each([
  ['small', photo, 'a.jpg', 'image/jpeg'],
  ['large', large, 'a.png', 'image/png'],
])('a ComfyUI gets a %s picture without its metadata', async (_what, bytes, fileName, type) => {
  await using t = await startBridge();
  expect(bytes.includes(secret)).toBe(true);
  const got = await sent(t, bytes, fileName);
  expect(got.includes(secret)).toBe(false);
  expect(got.equals(await strip(type, bytes))).toBe(true);
});

test('its owner gets the file as it was uploaded, under the same hash', async () => {
  await using t = await startBridge();
  const fields: [string, string][] = [
    ['content_type', 'image/jpeg'],
    ['file_path', 'photo.jpg'],
  ];
  const asset = await assetOf(postAsset(t, { bytes: photo, fields }), 201);
  await sent(t, photo, 'a.jpg');
  const answer = await t.get(`/api/v2/assets/${asset.id}/content`);
  expect(Buffer.from(await answer.arrayBuffer()).equals(photo)).toBe(true);
  expect((await t.get(`/api/v2/assets/by-hash/${asset.hash}`, { method: 'HEAD' })).status).toBe(200);
});

test('an operator may have files sent as they are', async () => {
  await using t = await startBridge({ env: { STRIP_METADATA: 'off' } });
  expect((await sent(t, photo, 'a.jpg')).equals(photo)).toBe(true);
});

test('a clip is sent without its place, as long as it was', async () => {
  const clip = await readRecording('clip.mp4');
  await using t = await startBridge();
  const saved = await uploadOne(t, clip, 'a.mp4');
  await submit(t, 'one', { workflow: 'image-to-image', '10/image': saved });
  const run = await t.sim.nextPrompt();
  const got = Buffer.from(t.sim.readFile('input', String(run.prompt['10']?.inputs['image'])) ?? []);
  expect(got.length).toBe(clip.length);
  expect(got.includes(secret)).toBe(false);
  await run.finish({ images: 1 });
});
