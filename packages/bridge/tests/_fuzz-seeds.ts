import { deflateSync } from 'node:zlib';

import sharp from 'sharp';

import { animatedGif, bmp, picture, pngChunk, withPngChunks } from './_files-fixtures.ts';
import { readRecording, secret } from './_metadata.ts';
import type { RecordingName } from './_metadata.ts';

/** Files of one type that are fine, and some that are made to do harm. */
export interface FuzzedFormat {
  name: string;
  contentType: string;
  seeds: readonly Buffer[];
}

const bomb = deflateSync(Buffer.alloc(30_000_000), { level: 9 });

function telling(width: number, height: number) {
  return picture(width, height)
    .withMetadata({ orientation: 6 })
    .withExifMerge({ IFD0: { Artist: secret }, IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '37/1 33/1 0/1' } })
    .withXmp(`<x:xmpmeta xmlns:x="adobe:ns:meta/">${secret}</x:xmpmeta>`)
    .withIccProfile('srgb', { attach: true });
}

/** Says that it is so large; its checksums are right. */
function claiming(png: Buffer, width: number, height: number): Buffer {
  const header = Buffer.from(png.subarray(16, 29));
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  return Buffer.concat([png.subarray(0, 8), pngChunk('IHDR', header), png.subarray(33)]);
}

async function pngs(): Promise<Buffer[]> {
  const png = await picture(24, 16).png().toBuffer();
  return [
    png,
    await telling(24, 16).png().toBuffer(),
    withPngChunks(png, pngChunk('zTXt', Buffer.concat([Buffer.from('Raw profile type exif\0\0'), bomb]))),
    withPngChunks(png, pngChunk('iCCP', Buffer.concat([Buffer.from('icc\0\0'), bomb]))),
    withPngChunks(
      png,
      pngChunk('tEXt', Buffer.from(`prompt\0${secret}`)),
      pngChunk('acTL', Buffer.from([0, 0, 0, 1, 0, 0, 0, 0])),
    ),
    claiming(png, 2_000_000_000, 2),
    claiming(png, 30_000, 30_000),
    claiming(png, 9_000, 9_000),
  ];
}

/** Frames without end: the same again and again. */
async function gifs(): Promise<Buffer[]> {
  const gif = await animatedGif(3);
  const frame = gif.subarray(gif.indexOf(Buffer.from([0x21, 0xf9])), -1);
  const endless = Buffer.concat([
    gif.subarray(0, -1),
    ...Array.from({ length: 700 }, () => frame),
    gif.subarray(-1),
  ]);
  const comment = Buffer.from(`\x21\xfe\x05hello\0`, 'latin1');
  return [
    gif,
    await picture(24, 16).gif().toBuffer(),
    endless,
    Buffer.concat([gif.subarray(0, -1), comment, gif.subarray(-1)]),
  ];
}

async function webps(): Promise<Buffer[]> {
  const animation = sharp(await animatedGif(3), { pages: -1 });
  return [
    await telling(24, 16).webp().toBuffer(),
    await picture(24, 16).webp({ lossless: true }).toBuffer(),
    await animation
      .withExif({ IFD0: { Artist: secret } })
      .webp()
      .toBuffer(),
  ];
}

function box(type: string, content: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + content.length);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, content]);
}

/** Boxes in boxes, boxes without length, tables that say more than they hold. */
function boxes(clip: Buffer): Buffer[] {
  const type = clip.subarray(0, 32);
  let deep: Buffer = Buffer.alloc(0);
  for (let depth = 0; depth < 400; depth++) deep = box(depth % 2 === 0 ? 'trak' : 'moov', deep);
  const many = Buffer.concat(Array.from({ length: 3_000 }, () => box('trak', Buffer.alloc(0))));
  const open = Buffer.concat([Buffer.alloc(4), Buffer.from('moov'), clip.subarray(clip.indexOf('moov') + 4)]);
  const table = clip.indexOf('stsz') + 12;
  const lying = Buffer.from(clip);
  lying.writeUInt32BE(0xffff_ffff, table);
  return [
    Buffer.concat([type, deep]),
    Buffer.concat([type, box('moov', many)]),
    Buffer.concat([type, open]),
    lying,
  ];
}

export async function createFormats(): Promise<FuzzedFormat[]> {
  const of = async (...names: RecordingName[]) => await Promise.all(names.map(readRecording));
  const clips = await of('clip.mp4', 'front.mp4', 'pieces.mp4');
  const jpegs = [
    await telling(24, 16).jpeg().toBuffer(),
    await picture(40, 30).jpeg({ progressive: true }).toBuffer(),
  ];
  return [
    { name: 'a.png', contentType: 'image/png', seeds: await pngs() },
    { name: 'a.jpg', contentType: 'image/jpeg', seeds: jpegs },
    { name: 'a.webp', contentType: 'image/webp', seeds: await webps() },
    { name: 'a.gif', contentType: 'image/gif', seeds: await gifs() },
    { name: 'a.bmp', contentType: 'image/bmp', seeds: [bmp()] },
    { name: 'a.mp4', contentType: 'video/mp4', seeds: [...clips, ...clips.slice(1, 2).flatMap(boxes)] },
    { name: 'a.mov', contentType: 'video/quicktime', seeds: await of('clip.mov') },
    { name: 'a.webm', contentType: 'video/webm', seeds: await of('clip.webm', 'live.webm') },
    { name: 'a.wav', contentType: 'audio/wav', seeds: await of('sound.wav') },
    { name: 'a.mp3', contentType: 'audio/mpeg', seeds: await of('sound.mp3') },
    { name: 'a.flac', contentType: 'audio/flac', seeds: await of('sound.flac') },
    { name: 'a.ogg', contentType: 'audio/ogg', seeds: await of('sound.ogg') },
  ];
}
