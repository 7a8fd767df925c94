import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { openStripped } from '../src/files/strip/open-stripped.ts';
import { checksumPage } from '../src/files/strip/ogg-checksum.ts';
import { readRecording, recordings, secret, strip } from './_metadata.ts';
import type { RecordingName } from './_metadata.ts';

const names = Object.keys(recordings).filter((name): name is RecordingName => name in recordings);
const place = '+37.5665';
/** Tables say where samples lie: no byte may move. */
const fixed: readonly string[] = ['.mp4', '.mov', '.m4a', '.webm', '.mkv', '.ogg'];

function box(type: string, ...content: Buffer[]): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + content.reduce((sum, { length }) => sum + length, 0));
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, ...content]);
}

function numbers(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => bytes.writeUInt32BE(value, index * 4));
  return bytes;
}

/** A track whose two chunks lie at these places, of one sample each. */
function track(handler: string, places: number[], sampleSize: number): Buffer {
  const tables = box(
    'stbl',
    box('stsc', numbers(0, 1, 1, 1, 1)),
    box('stsz', numbers(0, 0, places.length, ...places.map(() => sampleSize))),
    box('stco', numbers(0, places.length, ...places)),
  );
  const media = box(
    'mdia',
    box('mdhd', numbers(0, 7, 7, 1000, 5, 0)),
    box('hdlr', numbers(0, 0), Buffer.from(handler), Buffer.alloc(12)),
    box('minf', tables),
  );
  return box('trak', box('tkhd', numbers(0, 7, 7, 1, 0, 5)), media);
}

describe.each(names)('%s', (name) => {
  test('tells neither name nor place any more, and is otherwise the same', async () => {
    const bytes = await readRecording(name);
    const stripped = await strip(recordings[name], bytes);
    for (const word of [secret, place]) expect(stripped.includes(word)).toBe(false);
    expect(stripped.length > 400).toBe(true);
    if (fixed.some((extension) => name.endsWith(extension))) expect(stripped.length).toBe(bytes.length);
    expect((await strip(recordings[name], stripped)).equals(stripped)).toBe(true);
  });
});

test('most recordings hold what the tests look for', async () => {
  const all = await Promise.all(names.map(async (name) => (await readRecording(name)).includes(secret)));
  expect(all.filter((holds) => holds).length).toBeGreaterThanOrEqual(10);
});

describe('MP4', () => {
  const type = box('ftyp', Buffer.from('isom'), numbers(0));

  test('places, tags and dates are overwritten where they lie, wherever they lie', async () => {
    const spot = box('\xa9xyz', Buffer.from(`\0\x12\x15\xc7${place}+126.9780/`, 'latin1'));
    const loci = box('udta', box('loci', Buffer.from(secret)));
    const movie = box(
      'moov',
      box('mvhd', numbers(0, 3_700_000_000, 3_700_000_000, 1000, 5)),
      box('meta', Buffer.from(secret)),
      box('trak', box('tkhd', Buffer.from([1, 0, 0, 7]), numbers(1, 2, 3, 4, 5, 6)), loci),
      box('udta', spot),
    );
    const bytes = Buffer.concat([
      type,
      box('free', Buffer.from(secret)),
      movie,
      box('uuid', Buffer.from(secret)),
    ]);
    const stripped = await strip('video/mp4', bytes);
    expect(stripped.length).toBe(bytes.length);
    for (const word of [secret, place, 'xyz', 'loci', 'udta', 'meta', 'uuid'])
      expect(stripped.includes(word)).toBe(false);
    expect(stripped.includes(box('mvhd', numbers(0, 0, 0, 1000, 5)))).toBe(true);
    expect(stripped.includes(box('tkhd', Buffer.from([1, 0, 0, 7]), numbers(0, 0, 0, 0, 5, 6)))).toBe(true);
  });

  test('a track of places goes with its samples; picture and sound stay', async () => {
    const data = Buffer.from('pic1GPS-1111pic2GPS-2222');
    const first = type.length + 8;
    const movie = (handler: string) =>
      box('moov', track('vide', [first, first + 12], 4), track(handler, [first + 4, first + 16], 8));
    const kept = Buffer.concat([type, box('mdat', data), movie('soun')]);
    const withoutDates = await strip('video/mp4', kept);
    expect(withoutDates.includes(data)).toBe(true);
    const stripped = await strip('video/mp4', Buffer.concat([type, box('mdat', data), movie('meta')]));
    expect(stripped.includes('GPS')).toBe(false);
    expect(stripped.includes(Buffer.from(`pic1${'\0'.repeat(8)}pic2${'\0'.repeat(8)}`))).toBe(true);
    expect(stripped.toString('latin1').split('trak').length - 1).toBe(1);
  });

  test.each([
    ['a part that is longer than what it lies in', box('moov', numbers(5000), Buffer.from('trakxxxx'))],
    [
      'parts within parts without end',
      Array.from({ length: 40 }).reduce<Buffer>((inner) => box('moov', inner), Buffer.alloc(0)),
    ],
  ])('%s is refused', async (_title, movie) => {
    await expect(
      strip('video/mp4', Buffer.concat([type, movie, box('mdat', Buffer.alloc(9000))])),
    ).rejects.toThrow(/damaged/);
  });
});

test('the checksums of Ogg pages are right afterwards', async () => {
  const stripped = await strip('audio/ogg', await readRecording('sound.ogg'));
  let pages = 0;
  for (let at = 0; at < stripped.length; pages++) {
    const count = stripped[at + 26] ?? 0;
    const end =
      at + 27 + count + stripped.subarray(at + 27, at + 27 + count).reduce((sum, size) => sum + size, 0);
    const page = Buffer.from(stripped.subarray(at, end));
    const told = page.readUInt32LE(22);
    page.writeUInt32LE(0, 22);
    expect(checksumPage(page)).toBe(told);
    at = end;
  }
  expect(pages).toBeGreaterThan(2);
});

test('a WAV of unknown length keeps its sound', async () => {
  const wav = await readRecording('sound.wav');
  const data = wav.indexOf('data');
  wav.writeUInt32LE(0xffff_ffff, 4);
  wav.writeUInt32LE(0xffff_ffff, data + 4);
  const stripped = await strip('audio/wav', wav);
  expect(stripped.includes(secret)).toBe(false);
  expect(stripped.subarray(stripped.indexOf('data')).equals(wav.subarray(data))).toBe(true);
});

test('a large file is stripped as it passes by, the same as in memory', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'strip-'));
  try {
    const small = await readRecording('clip.mp4');
    const at = small.indexOf('moov') - 4;
    const more = box('mdat', Buffer.alloc(3_000_000, 'x'));
    const bytes = Buffer.concat([
      small.subarray(0, at),
      more,
      small.subarray(at),
      box('udta', Buffer.alloc(500_000, 'y')),
    ]);
    const path = join(folder, 'large');
    await writeFile(path, bytes);
    const stripped = await openStripped({
      contentType: 'video/mp4',
      size: bytes.length,
      open: async (range) => createReadStream(path, range),
    });
    if (!stripped.ok) throw new Error(stripped.reason);
    const chunks: Buffer[] = [];
    for await (const chunk of await stripped.file.open()) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
    const streamed = Buffer.concat(chunks);
    expect(streamed.length).toBe(stripped.file.size);
    expect(streamed.equals(await strip('video/mp4', bytes))).toBe(true);
    expect(streamed.includes(secret) || streamed.includes('yy')).toBe(false);
  } finally {
    await rm(folder, { recursive: true });
  }
});
