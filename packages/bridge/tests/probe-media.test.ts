import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { describe, expect, test } from 'vitest';

import { checkFile } from '../src/files/check-file.ts';
import { createMediaProbe } from '../src/files/probe/media-probe.ts';
import { spawnProbeWorker } from '../src/files/probe/probe-thread.ts';
import { check, policy, wav } from './_files-fixtures.ts';
import { readRecording, recordings } from './_metadata.ts';
import type { RecordingName } from './_metadata.ts';
import { detailOf, upload } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';

const clip = await readRecording('clip.mp4');
const silent = await readRecording('front.mp4');
const live = await readRecording('pieces.mp4');
const web = await readRecording('clip.webm');

/** With these words in place of its limits. */
function limited(media: Partial<NonNullable<typeof policy.media>>) {
  return { limits: { media: { ...policy.media, ...media } } } as Parameters<typeof check>[2];
}

describe('what is accepted', () => {
  const allowed = policy.resultAllowed;
  const names = Object.keys(recordings).filter(
    (name): name is RecordingName => name in recordings && !/mkv|aac/.test(name),
  );
  test.each(names)('%s', async (name) => {
    const checked = await check(await readRecording(name), name, { limits: { allowed } });
    expect(checked).toMatchObject({ ok: true, file: { contentType: recordings[name] } });
  });
});

test('a sound of hours is looked into at its beginning', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'probe-'));
  try {
    const path = join(folder, 'long.wav');
    const size = 2_000_000_000;
    const head = wav(0);
    head.writeUInt32LE(size - 8, 4);
    head.writeUInt32LE(192_000, 28);
    head.writeUInt32LE(size - 44, 40);
    await writeFile(path, head);
    await truncate(path, size);
    const file = { content: path, size, fileName: 'long.wav', declaredType: undefined };
    expect(await checkFile(file, { ...policy, ...limited({ maxSeconds: 1_000_000 })?.limits })).toMatchObject(
      { ok: true },
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

describe('what is refused', () => {
  const box = (type: string, content: Buffer): Buffer => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(8 + content.length);
    head.write(type, 4, 'latin1');
    return Buffer.concat([head, content]);
  };
  const type = box('ftyp', Buffer.from('isom\0\0\0\0isommp41'));

  test.each([
    [
      'a video without a picture',
      'a.mp4',
      Buffer.concat([type, box('mdat', Buffer.alloc(500, 7))]),
      /cannot be read/,
    ],
    ['an upload that was cut off', 'a.mp4', silent.subarray(0, 1_700), /cut off/],
    ['half a video whose index comes last', 'a.mp4', clip.subarray(0, clip.length / 2), /cannot be read/],
    ['a picture called a sound', 'a.m4a', silent, /no sound/],
    [
      'noise behind the beginning of a WebM',
      'a.webm',
      Buffer.concat([web.subarray(0, 200), Buffer.alloc(900, 1)]),
      /damaged/,
    ],
    [
      'a part that reaches out of what it lies in',
      'a.mp4',
      withLength(clip, 'mvhd', 1_000_000),
      /do not fit/,
    ],
    [
      'a table that says more than it holds',
      'a.mp4',
      withCount(clip, 'stsz', 8, 0xffff_ffff),
      /tables say more/,
    ],
    [
      'a table of more samples than anybody has',
      'a.mp4',
      withCount(withCount(clip, 'stsz', 4, 1), 'stsz', 8, 0xffff_ffff),
      /tables say more/,
    ],
    [
      'a list of chunks that is longer than its part',
      'a.mp4',
      withCount(clip, 'stco', 4, 4_000),
      /tables say more/,
    ],
    [
      'a piece with more samples than it holds',
      'a.mp4',
      withCount(live, 'trun', 4, 70_000_000),
      /tables say more/,
    ],
    [
      'parts within parts',
      'a.mp4',
      Buffer.concat([type, nested(box, 30), box('mdat', Buffer.alloc(9))]),
      /damaged/,
    ],
  ])('%s', async (_title, name, bytes, reason) => {
    expect(await check(bytes, name)).toEqual({ ok: false, reason: expect.stringMatching(reason) });
  });

  test('what lasts too long', async () => {
    const reason = 'it lasts 1 seconds; at most 0.2 are allowed';
    expect(await check(clip, 'a.mp4', limited({ maxSeconds: 0.2 }))).toEqual({ ok: false, reason });
  });

  test('what is coded in a way that is not allowed', async () => {
    const without = limited({ codecs: new Set(['vp8', 'aac']) });
    const reason = 'its picture is coded as AVC; allowed are vp8, aac';
    expect(await check(clip, 'a.mp4', without)).toEqual({ ok: false, reason });
  });

  test('pictures that are too large', async () => {
    const reason = 'its picture is 48×32 pixels, which is too large';
    expect(await check(clip, 'a.mp4', { limits: { maxPixels: 1000 } })).toEqual({ ok: false, reason });
    expect(await check(clip, 'a.mp4', { limits: { maxDimension: 40 } })).toEqual({ ok: false, reason });
  });

  test('every recording, where nobody can look into it', async () => {
    const { media: _media, ...blind } = policy;
    const file = { content: clip, size: clip.length, fileName: 'a.mp4', declaredType: undefined };
    expect(await checkFile(file, blind)).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/cannot be checked/),
    });
  });

  test('a damaged video by the bridge, with the reason', async () => {
    await using t = await startBridge({ sims: 0 });
    const answer = await upload(t, [
      { bytes: clip.subarray(0, 5_000), fileName: 'a.mp4', type: 'video/mp4' },
    ]);
    expect(answer.status).toBe(400);
    expect(await detailOf(answer)).toMatch(/a\.mp4: .*damaged/);
  });

  test('what an operator does not allow', async () => {
    await using t = await startBridge({ sims: 0, env: { ALLOWED_CODECS: 'VP9, Opus' } });
    const answer = await upload(t, [{ bytes: clip, fileName: 'a.mp4', type: 'video/mp4' }]);
    expect(await detailOf(answer)).toMatch(/coded as AVC; allowed are vp9, opus/);
  });
});

describe('a thread that looks into files', () => {
  /** The first ones do as they are told, those after them their work. */
  function spawning(...codes: string[]): () => Worker {
    return () => {
      const code = codes.shift();
      return code === undefined ? spawnProbeWorker() : new Worker(code, { eval: true });
    };
  }

  test.each([
    ['never answers', 'setInterval(() => {}, 1000)'],
    ['blocks', 'for (;;);'],
    ['ends', 'process.exit(1)'],
    ['throws', 'throw new Error("broken")'],
  ])('that %s costs the file, and the next one gets another thread', async (_what, code) => {
    const lost: unknown[] = [];
    await using probe = createMediaProbe({
      ...{ atOnce: 1, deadlineMs: 3_000, startMs: 1_000, spawn: spawning(code) },
      onLost: (cause) => lost.push(cause),
    });
    const [first, second] = await Promise.all([
      probe.probe(clip, clip.length, 'video/mp4'),
      probe.probe(clip, clip.length, 'video/mp4'),
    ]);
    expect(first).toBeUndefined();
    expect(second?.streamCount).toBe(2);
    expect(lost).toHaveLength(1);
  });

  test('is let go once its parser has taken much memory', async () => {
    const hungry = `const { parentPort } = require('node:worker_threads');
      parentPort.on('message', () => parentPort.postMessage({ media: undefined, memoryBytes: 1e9 }));`;
    await using probe = createMediaProbe({ atOnce: 1, spawn: spawning(hungry) });
    expect(await probe.probe(clip, clip.length, 'video/mp4')).toBeUndefined();
    expect((await probe.probe(clip, clip.length, 'video/mp4'))?.streamCount).toBe(2);
  });

  test('has a line of bounded length', async () => {
    await using probe = createMediaProbe({
      atOnce: 1,
      maxWaiting: 2,
      deadlineMs: 200,
      startMs: 0,
      spawn: spawning('setInterval(() => {}, 1000)'),
    });
    const waiting = [
      probe.probe(clip, clip.length, 'video/mp4'),
      probe.probe(clip, clip.length, 'video/mp4'),
    ];
    await expect(probe.probe(clip, clip.length, 'video/mp4')).rejects.toMatchObject({ code: 'unavailable' });
    await Promise.all(waiting);
  });
});

/** The number `at` bytes behind the head of a part. */
function withCount(bytes: Buffer, type: string, at: number, count: number): Buffer {
  const changed = Buffer.from(bytes);
  changed.writeUInt32BE(count, changed.indexOf(type) + 4 + at);
  return changed;
}

function withLength(bytes: Buffer, type: string, length: number): Buffer {
  const changed = Buffer.from(bytes);
  changed.writeUInt32BE(length, changed.indexOf(type) - 4);
  return changed;
}

function nested(box: (type: string, content: Buffer) => Buffer, depth: number): Buffer {
  let inner: Buffer = Buffer.alloc(0);
  for (let level = 0; level < depth; level++) inner = box('moov', inner);
  return inner;
}
