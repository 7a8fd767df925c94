import { Readable } from 'node:stream';

import sharp from 'sharp';
import { describe, expect, test } from 'vitest';

import { prepareForBackend } from '../src/files/strip/prepare-for-backend.ts';
import { animatedGif, bmp, check, picture, policy } from './_files-fixtures.ts';
import { secret } from './_metadata.ts';
import { submit, uploadOne } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';

async function reencode(
  contentType: string,
  bytes: Buffer,
  limits: Partial<typeof policy> = {},
): Promise<Buffer> {
  const open = async () => Readable.from([bytes]);
  const kept = { contentType, size: bytes.length, open };
  const made = await prepareForBackend(kept, { ...policy, reencodeImages: true, ...limits });
  const content = Buffer.concat(await (await made.open()).toArray());
  expect(content.length).toBe(made.size);
  return content;
}

const telling = () =>
  picture(40, 24)
    .withMetadata({ orientation: 6 })
    .withExifMerge({ IFD0: { Artist: secret } })
    .withIccProfile('p3', { attach: true });

describe('coded anew', () => {
  test.each([
    ['image/png', 'a.png', () => telling().png()],
    ['image/jpeg', 'a.jpg', () => telling().jpeg()],
    ['image/webp', 'a.webp', () => telling().webp({ lossless: true })],
  ])('a picture (%s) is turned, keeps its colours, and tells nothing', async (type, name, make) => {
    const bytes = await make().toBuffer();
    const made = await reencode(type, bytes);
    expect(made.includes(secret)).toBe(false);
    const { width, height, orientation, icc, exif } = await sharp(made).metadata();
    expect([width, height, orientation, exif]).toEqual([24, 40, undefined, undefined]);
    expect(icc?.equals((await sharp(bytes).metadata()).icc ?? Buffer.alloc(0))).toBe(true);
    expect(await check(made, name)).toMatchObject({ ok: true });
    const [before, after] = await Promise.all(
      [bytes, made].map((content) => sharp(content).autoOrient().raw().toBuffer()),
    );
    const differences = before?.map((value, index) => Math.abs(value - (after?.[index] ?? 0))) ?? [];
    expect(Math.max(...differences)).toBeLessThanOrEqual(type === 'image/jpeg' ? 24 : 0);
  });

  test('an animation keeps its frames and times', async () => {
    const gif = await animatedGif(4);
    const { pages, delay, loop } = await sharp(gif).metadata();
    expect(await sharp(await reencode('image/gif', gif)).metadata()).toMatchObject({ pages, delay, loop });
  });

  test('what cannot be decoded is refused, and so is what is larger than pictures may be', async () => {
    const png = await picture(64, 64).png().toBuffer();
    await expect(reencode('image/png', png.subarray(0, 900))).rejects.toMatchObject({ code: 'file_refused' });
    await expect(reencode('image/png', png, { maxPixels: 64 })).rejects.toMatchObject({
      code: 'file_refused',
    });
  });

  test('BMP is not', async () => {
    expect((await reencode('image/bmp', bmp())).equals(bmp())).toBe(true);
  });

  test('is what a ComfyUI gets where its operator wants it so', async () => {
    const bytes = await telling().jpeg().toBuffer();
    await using t = await startBridge({ env: { REENCODE_IMAGES: 'always' } });
    await submit(t, 'one', { workflow: 'image-to-image', '10/image': await uploadOne(t, bytes, 'a.jpg') });
    const run = await t.sim.nextPrompt();
    const got = Buffer.from(t.sim.readFile('input', String(run.prompt['10']?.inputs['image'])) ?? []);
    expect(await sharp(got).metadata()).toMatchObject({ format: 'jpeg', width: 24, height: 40 });
    expect(got.includes(secret)).toBe(false);
    await run.finish({ images: 1 });
  });
});
