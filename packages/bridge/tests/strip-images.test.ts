import { deflateSync } from 'node:zlib';

import sharp from 'sharp';
import type { Sharp } from 'sharp';
import { describe, expect, test } from 'vitest';

import { animatedGif, bmp, check, picture, pngChunk, withPngChunks } from './_files-fixtures.ts';
import { secret, strip } from './_metadata.ts';

const place = { IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '37/1 33/1 0/1' } };
const xmp = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description>${secret}</rdf:Description></rdf:RDF></x:xmpmeta>`;

/** A picture that tells all it can, turned by `orientation`. */
function telling(orientation: number): Sharp {
  return picture()
    .withMetadata({ orientation })
    .withExifMerge({ IFD0: { Artist: secret, Copyright: secret }, ...place })
    .withXmp(xmp)
    .withIccProfile('p3', { attach: true });
}

const formats = {
  'image/png': (image: Sharp) => image.png(),
  'image/jpeg': (image: Sharp) => image.jpeg(),
  'image/webp': (image: Sharp) => image.webp({ quality: 90 }),
} as const;
const extensions = { 'image/png': 'a.png', 'image/jpeg': 'a.jpg', 'image/webp': 'a.webp' } as const;
const types = ['image/png', 'image/jpeg', 'image/webp'] as const;

function pixelsOf(bytes: Buffer): Promise<Buffer> {
  return sharp(bytes, { pages: -1 }).raw().toBuffer();
}

describe.each(types)('%s', (type) => {
  test.each([1, 3, 6, 8])(
    'loses all but its pixels, its colours and how it is turned (%i)',
    async (turned) => {
      const bytes = await formats[type](telling(turned)).toBuffer();
      expect(bytes.includes(secret)).toBe(true);
      const stripped = await strip(type, bytes);
      expect(stripped.includes(secret)).toBe(false);
      const before = await sharp(bytes).metadata();
      const after = await sharp(stripped).metadata();
      expect(after.orientation ?? 1).toBe(turned);
      expect(after.icc?.equals(before.icc ?? Buffer.alloc(0))).toBe(true);
      expect(after.xmp).toBeUndefined();
      expect(after.exif?.length ?? 0).toBeLessThan(40);
      expect((await pixelsOf(stripped)).equals(await pixelsOf(bytes))).toBe(true);
      const upright = (content: Buffer) => sharp(content).autoOrient().raw().toBuffer();
      expect((await upright(stripped)).equals(await upright(bytes))).toBe(true);
    },
  );

  test('is accepted as before, and stripping it again changes nothing', async () => {
    const stripped = await strip(type, await formats[type](telling(6)).toBuffer());
    expect(await check(stripped, extensions[type])).toMatchObject({ ok: true });
    expect((await strip(type, stripped)).equals(stripped)).toBe(true);
    const plain = await formats[type](picture()).toBuffer();
    expect((await strip(type, plain)).equals(plain)).toBe(true);
  });

  test('loses what lies behind its end', async () => {
    const bytes = await formats[type](picture()).toBuffer();
    const stripped = await strip(type, Buffer.concat([bytes, Buffer.from(`\0\0${secret}`)]));
    expect(stripped.equals(bytes)).toBe(true);
  });
});

describe('PNG', () => {
  test('words, dates and private chunks go, what colours need stays', async () => {
    const png = await picture().png().toBuffer();
    const gamma = pngChunk('gAMA', Buffer.from([0, 0, 0xb1, 0x8f]));
    const told = withPngChunks(
      png,
      pngChunk('tEXt', Buffer.from(`prompt\0${secret}`)),
      pngChunk('zTXt', Buffer.concat([Buffer.from('workflow\0\0'), deflateSync(secret)])),
      pngChunk('iTXt', Buffer.from(`Comment\0\0\0\0\0${secret}`)),
      gamma,
      pngChunk('tIME', Buffer.from([7, 0xe8, 5, 6, 7, 8, 9])),
      pngChunk('caBX', Buffer.from(secret)),
    );
    expect((await strip('image/png', told)).equals(withPngChunks(png, gamma))).toBe(true);
  });

  test.each(['exif', 'APP1'])('a turn that a program wrote as text (%s) is kept', async (name) => {
    const exif = (await sharp(await telling(6).png().toBuffer()).metadata()).exif ?? Buffer.alloc(0);
    const text = `\n${name}\n      ${exif.length}\n${exif.toString('hex')}\n`;
    const profile = Buffer.concat([Buffer.from(`Raw profile type ${name}\0\0`), deflateSync(text)]);
    const stripped = await strip(
      'image/png',
      withPngChunks(await picture().png().toBuffer(), pngChunk('zTXt', profile)),
    );
    expect((await sharp(stripped).metadata()).orientation).toBe(6);
    expect(stripped.includes('Raw profile')).toBe(false);
  });

  test('a turn that only XMP tells is kept', async () => {
    const turned = Buffer.from(
      `XML:com.adobe.xmp\0\0\0\0\0<rdf:Description tiff:Orientation="8" x="${secret}"/>`,
    );
    const told = withPngChunks(await picture().png().toBuffer(), pngChunk('iTXt', turned));
    const stripped = await strip('image/png', told);
    expect((await sharp(stripped).metadata()).orientation).toBe(8);
    expect(stripped.includes(secret)).toBe(false);
  });

  test('words that inflate to far more are not inflated', async () => {
    const bomb = Buffer.concat([
      Buffer.from('Raw profile type exif\0\0'),
      deflateSync(Buffer.alloc(20_000_000)),
    ]);
    const png = await picture().png().toBuffer();
    expect((await strip('image/png', withPngChunks(png, pngChunk('zTXt', bomb)))).equals(png)).toBe(true);
  });
});

describe('JPEG', () => {
  const segment = (marker: number, data: Buffer): Buffer => {
    const head = Buffer.from([0xff, marker, 0, 0]);
    head.writeUInt16BE(data.length + 2, 2);
    return Buffer.concat([head, data]);
  };

  test('comments, IPTC, previews and thumbnails go, also those between scans', async () => {
    const jpeg = await picture().jpeg({ progressive: true }).toBuffer();
    const scan = jpeg.lastIndexOf(Buffer.from([0xff, 0xda]));
    const comment = segment(0xfe, Buffer.from(secret));
    const told = Buffer.concat([
      ...[jpeg.subarray(0, 2), segment(0xed, Buffer.from(`Photoshop 3.0\0${secret}`)), comment],
      ...[jpeg.subarray(2, scan), comment, jpeg.subarray(scan)],
      ...[await telling(3).jpeg().toBuffer()],
    ]);
    expect((await strip('image/jpeg', told)).equals(jpeg)).toBe(true);
  });

  test('the thumbnail of a JFIF header goes, its density stays', async () => {
    const jpeg = await picture().jpeg().toBuffer();
    const header = Buffer.from('JFIF\0\x01\x02\x01\0\x48\0\x48\x01\x02', 'latin1');
    const bare = jpeg.subarray(2 + 2 + jpeg.readUInt16BE(4));
    const withHeader = (data: Buffer) => Buffer.concat([jpeg.subarray(0, 2), segment(0xe0, data), bare]);
    const told = withHeader(Buffer.concat([header, Buffer.alloc(6, 9)]));
    const wanted = withHeader(Buffer.concat([header.subarray(0, 12), Buffer.alloc(2)]));
    expect((await strip('image/jpeg', told)).equals(wanted)).toBe(true);
  });
});

describe('GIF', () => {
  test('comments and application data go, the loop stays', async () => {
    const gif = await animatedGif(3);
    const frame = gif.indexOf(Buffer.from([0x21, 0xf9]));
    const comment = Buffer.concat([
      Buffer.from([0x21, 0xfe, secret.length]),
      Buffer.from(secret),
      Buffer.alloc(1),
    ]);
    const data = Buffer.concat([
      Buffer.from([0x21, 0xff, 11]),
      Buffer.from(`XMP DataXMP${String.fromCharCode(secret.length)}${secret}\0`),
    ]);
    const told = Buffer.concat([gif.subarray(0, frame), comment, data, gif.subarray(frame)]);
    const stripped = await strip('image/gif', told);
    expect(stripped.equals(gif)).toBe(true);
    expect(stripped.includes('NETSCAPE2.0')).toBe(true);
    expect((await sharp(stripped, { pages: -1 }).metadata()).pages).toBe(3);
  });
});

describe('WebP', () => {
  test('every frame of an animation stays, with its times', async () => {
    const animation = sharp(await animatedGif(4), { pages: -1 });
    const bytes = await animation
      .withExif({ IFD0: { Artist: secret } })
      .webp({ lossless: true })
      .toBuffer();
    const stripped = await strip('image/webp', bytes);
    expect(bytes.includes(secret)).toBe(true);
    expect(stripped.includes(secret)).toBe(false);
    const { pages, delay, loop } = await sharp(bytes).metadata();
    expect(await sharp(stripped).metadata()).toMatchObject({ pages, delay, loop });
    expect((await pixelsOf(stripped)).equals(await pixelsOf(bytes))).toBe(true);
  });
});

test('BMP loses what lies behind its pixels', async () => {
  expect((await strip('image/bmp', Buffer.concat([bmp(), Buffer.from(secret)]))).equals(bmp())).toBe(true);
});
