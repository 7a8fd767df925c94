import { Readable } from 'node:stream';

import sharp from 'sharp';
import type { Sharp } from 'sharp';
import { describe, expect, test } from 'vitest';

import { createBufferWindow } from '../src/files/file-window.ts';
import { applyEdits } from '../src/files/strip/edits.ts';
import { prepareForBackend } from '../src/files/strip/prepare-for-backend.ts';
import { planStrip } from '../src/files/strip/strip-metadata.ts';
import { picture, policy } from './_files-fixtures.ts';
import { secret, strip } from './_metadata.ts';

const place = { IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '37/1 33/1 0/1', GPSAreaInformation: secret } };
const xmp = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description>${secret}</rdf:Description></rdf:RDF></x:xmpmeta>`;

function telling(orientation = 1): Sharp {
  return picture(300, 200)
    .withMetadata({ orientation })
    .withExifMerge({
      IFD0: { Artist: secret, ImageDescription: secret },
      IFD2: { UserComment: secret },
      ...place,
    })
    .withXmp(xmp)
    .withIccProfile('p3', { attach: true });
}

const formats: Record<string, (image: Sharp) => Sharp> = {
  'tiff as it is': (image) => image.tiff({ compression: 'none' }),
  'tiff deflate': (image) => image.tiff({ compression: 'deflate', predictor: 'horizontal' }),
  'tiff tiles': (image) => image.tiff({ compression: 'lzw', tile: true, tileWidth: 64, tileHeight: 64 }),
  'tiff jpeg': (image) => image.tiff({ compression: 'jpeg' }),
  avif: (image) => image.avif({ quality: 60, effort: 0 }),
};
const typeOf = (name: string) => (name === 'avif' ? 'image/avif' : 'image/tiff');
const pixelsOf = (bytes: Buffer) => sharp(bytes, { pages: -1 }).raw().toBuffer();

describe.each(Object.keys(formats))('%s', (name) => {
  const make = (image: Sharp) => formats[name]?.(image).toBuffer() ?? Promise.reject(new Error(name));

  test.each([1, 6])('loses all but its pixels, its colours and how it is turned (%i)', async (turned) => {
    const bytes = await make(telling(turned));
    expect(bytes.includes(secret)).toBe(true);
    const stripped = await strip(typeOf(name), bytes);
    expect(stripped.includes(secret)).toBe(false);
    expect(stripped.includes('GPS')).toBe(false);
    expect(stripped.length).toBe(bytes.length);
    const [before, after] = [await sharp(bytes).metadata(), await sharp(stripped).metadata()];
    expect(after.orientation ?? 1).toBe(before.orientation ?? 1);
    expect(after.icc?.equals(before.icc ?? Buffer.alloc(0))).toBe(true);
    expect(after.xmp).toBeUndefined();
    expect((await pixelsOf(stripped)).equals(await pixelsOf(bytes))).toBe(true);
    expect((await strip(typeOf(name), stripped)).equals(stripped)).toBe(true);
  });

  test('loses what lies behind its end', async () => {
    const bytes = await make(picture());
    const stripped = await strip(typeOf(name), Buffer.concat([bytes, Buffer.from(secret)]));
    expect(stripped.includes(secret)).toBe(false);
    expect((await pixelsOf(stripped)).equals(await pixelsOf(bytes))).toBe(true);
  });

  test('what cannot be looked into is not sent', async () => {
    const bytes = await make(telling());
    const send = (content: Buffer) =>
      prepareForBackend(
        { contentType: typeOf(name), size: content.length, open: async () => Readable.from([content]) },
        { ...policy, stripMetadata: true, reencodeImages: false },
      );
    for (const wrong of [bytes.subarray(0, 6), Buffer.from(bytes).fill(0xff, 4, 60)])
      await expect(send(wrong)).rejects.toMatchObject({ code: 'file_refused' });
    // Cut off anywhere, it is refused or sent without words.
    for (let cut = 16; cut < bytes.length; cut += Math.ceil(bytes.length / 60)) {
      const sent = await send(bytes.subarray(0, cut)).catch(() => undefined);
      if (sent !== undefined)
        expect(Buffer.concat(await (await sent.open()).toArray()).includes(secret)).toBe(false);
    }
  });
});

test('a TIFF of either byte order, with several pages, keeps each of them', async () => {
  const frames = await Promise.all(
    [10, 90, 170].map((shade) =>
      sharp({ create: { width: 20, height: 10, channels: 3, background: { r: shade, g: 1, b: 2 } } })
        .png()
        .toBuffer(),
    ),
  );
  const bytes = await sharp(frames, { join: { animated: true } })
    .withExif({ IFD0: { Artist: secret } })
    .tiff({ compression: 'deflate' })
    .toBuffer();
  expect((await sharp(bytes, { pages: -1 }).metadata()).pages).toBe(3);
  const stripped = await strip('image/tiff', bytes);
  expect(stripped.includes(secret)).toBe(false);
  expect((await sharp(stripped, { pages: -1 }).metadata()).pages).toBe(3);
  expect((await pixelsOf(stripped)).equals(await pixelsOf(bytes))).toBe(true);
});

/** One grey pixel, big-endian, with a description, and a comment where nothing refers to. */
function bigEndianTiff(compression = 1): Buffer {
  const entries: [tag: number, type: number, count: number, value: number][] = [
    [256, 3, 1, 1 << 16],
    [257, 3, 1, 1 << 16],
    [258, 3, 1, 8 << 16],
    [259, 3, 1, compression << 16],
    [262, 3, 1, 1 << 16],
    [270, 2, secret.length + 1, 200],
    [273, 4, 1, 300],
    [277, 3, 1, 1 << 16],
    [278, 3, 1, 1 << 16],
    [279, 4, 1, 1],
  ];
  const bytes = Buffer.alloc(400);
  bytes.write('MM\0\x2a\0\0\0\x08', 0, 'latin1');
  bytes.writeUInt16BE(entries.length, 8);
  for (const [index, [tag, type, count, value]] of entries.entries()) {
    const at = 10 + index * 12;
    bytes.writeUInt16BE(tag, at);
    bytes.writeUInt16BE(type, at + 2);
    bytes.writeUInt32BE(count, at + 4);
    bytes.writeUInt32BE(value, at + 8);
  }
  bytes.write(secret, 200, 'latin1');
  bytes[300] = 0x7f;
  bytes.write(secret, 340, 'latin1');
  return bytes;
}

test('big-endian, and what nothing refers to', async () => {
  const stripped = await strip('image/tiff', bigEndianTiff());
  expect(stripped.includes(secret)).toBe(false);
  expect([...(await sharp(stripped).toColourspace('b-w').raw().toBuffer())]).toEqual([0x7f]);
});

test('JPEG as TIFF had it first, a circle of directories, and BigTIFF are refused', async () => {
  await expect(strip('image/tiff', bigEndianTiff(6))).rejects.toThrow('cannot be looked into');
  const circle = bigEndianTiff();
  circle.writeUInt32BE(8, 10 + 10 * 12);
  await expect(strip('image/tiff', circle)).rejects.toThrow('cannot be looked into');
  const big = await picture().tiff({ bigtiff: true }).toBuffer();
  await expect(strip('image/tiff', big)).rejects.toThrow('cannot be looked into');
});

test('a TIFF in very many pieces', async () => {
  const count = 300_000;
  const bytes = Buffer.concat([bigEndianTiff(), Buffer.alloc(count * 8, 0), Buffer.from(secret)]);
  const [starts, lengths] = [400, 400 + count * 4];
  for (const [entry, place] of [
    [6, starts],
    [9, lengths],
  ] as const) {
    bytes.writeUInt16BE(4, 10 + entry * 12 + 2);
    bytes.writeUInt32BE(count, 10 + entry * 12 + 4);
    bytes.writeUInt32BE(place, 10 + entry * 12 + 8);
  }
  for (let piece = 0; piece < count; piece += 1) {
    bytes.writeUInt32BE(300, starts + piece * 4);
    bytes.writeUInt32BE(1, lengths + piece * 4);
  }
  const stripped = await strip('image/tiff', bytes);
  expect(stripped.includes(secret)).toBe(false);
  expect(stripped[300]).toBe(0x7f);
});

test('an AVIF with any byte of its head changed is no picture, is refused, or sent without words', async () => {
  const bytes = await telling().avif({ quality: 40, effort: 0 }).toBuffer();
  const head = bytes.indexOf('mdat');
  let refused = 0;
  for (let at = 0; at < head; at += 1) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 0xff;
    const plan = await planStrip('image/avif', createBufferWindow(changed));
    if (!plan.ok) refused += 1;
    // A picture that is said to lie elsewhere is none, and nobody accepts it.
    else if (applyEdits(changed, plan.edits).subarray(head).includes(secret))
      await expect(pixelsOf(changed), String(at)).rejects.toBeInstanceOf(Error);
  }
  expect(refused).toBeGreaterThan(0);
});
