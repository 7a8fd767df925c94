import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { expect } from 'vitest';
import { defaultAllowedTypes, toResultAllowed } from '../src/files/allowed-types.ts';
import { checkFile, defaultImageLimits, type CheckResult } from '../src/files/check-file.ts';
import type { FilePolicy } from '../src/files/collect-result.ts';
import { createDiskFileStore } from '../src/files/disk-file-store.ts';
import type { FileStore } from '../src/files/file-store.ts';
import { defaultCodecs } from '../src/files/probe/judge-media.ts';
import { createMediaProbe } from '../src/files/probe/media-probe.ts';

/** Its threads begin with the first sound or video, and hold up nothing. */
const mediaProbe = createMediaProbe();

export const policy: FilePolicy = {
  ...defaultImageLimits,
  allowed: defaultAllowedTypes,
  resultAllowed: toResultAllowed(defaultAllowedTypes),
  stripMetadata: true,
  reencodeImages: false,
  stripResults: false,
  media: {
    probe: (content, size, contentType) => mediaProbe.probe(content, size, contentType),
    maxSeconds: 14_400,
    codecs: new Set(defaultCodecs.map((codec) => codec.toLowerCase())),
  },
};

export interface StoreFixture {
  directory: string;
  store: FileStore;
  /** Every file under the directory, relative. */
  left(): Promise<string[]>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function createStore(): Promise<StoreFixture> {
  const directory = await mkdtemp(join(tmpdir(), 'files-test-'));
  const store = await createDiskFileStore({ directory });
  return {
    directory,
    store,
    left: async () => {
      const entries = await readdir(directory, { recursive: true, withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

/** Checks bytes as if they had been sent under that name. */
export async function check(
  bytes: Buffer,
  fileName: string,
  { declaredType, limits = {} }: { declaredType?: string; limits?: Partial<FilePolicy> } = {},
): Promise<CheckResult> {
  const folder = await mkdtemp(join(tmpdir(), 'files-check-'));
  const path = join(folder, 'content');
  try {
    await writeFile(path, bytes);
    const file = { size: bytes.length, fileName, declaredType };
    const checkPolicy = { ...policy, ...limits };
    const result = await checkFile({ ...file, content: path }, checkPolicy);
    // What lies in memory is judged as what lies on disk.
    expect(await checkFile({ ...file, content: bytes }, checkPolicy)).toEqual(result);
    return result;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A picture with enough detail to have a body worth cutting. */
export function picture(width = 64, height = 48): Sharp {
  const pixels = Buffer.alloc(width * height * 3);
  for (let at = 0; at < pixels.length; at++) pixels[at] = (at * 31 + (at >> 3) * 17) & 0xff;
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

export async function animatedGif(frames: number): Promise<Buffer> {
  const size = 8;
  const pixels = Buffer.alloc(size * size * 3 * frames);
  for (let at = 0; at < pixels.length; at++) pixels[at] = Math.floor(at / (size * size * 3)) * 40;
  return await sharp(pixels, { raw: { width: size, height: size * frames, channels: 3, pageHeight: size } })
    .gif({ delay: Array.from({ length: frames }, () => 100) })
    .toBuffer();
}

export function pngChunk(type: string, data: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(data.length);
  head.write(type, 4, 'latin1');
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32(Buffer.concat([head.subarray(4), data])));
  return Buffer.concat([head, data, crc]);
}

function crc32(bytes: Buffer): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb8_8320 : 0);
  }
  return (crc ^ 0xffff_ffff) >>> 0;
}

/** Puts chunks right behind a PNG's header. */
export function withPngChunks(png: Buffer, ...chunks: Buffer[]): Buffer {
  const afterHeader = 8 + 25;
  return Buffer.concat([png.subarray(0, afterHeader), ...chunks, png.subarray(afterHeader)]);
}

/** A ZIP archive of one stored, empty file. */
export function zipArchive(): Buffer {
  const name = Buffer.from('evil.sh');
  const local = Buffer.alloc(30);
  local.write('PK\x03\x04', 0, 'latin1');
  local.writeUInt16LE(name.length, 26);
  const entry = Buffer.alloc(46);
  entry.write('PK\x01\x02', 0, 'latin1');
  entry.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(entry.length + name.length, 12);
  end.writeUInt32LE(local.length + name.length, 16);
  return Buffer.concat([local, name, entry, name, end]);
}

export function windowsProgram(): Buffer {
  const program = Buffer.alloc(512);
  program.write('MZ', 0, 'latin1');
  program.writeUInt32LE(128, 60);
  program.write('PE\0\0', 128, 'latin1');
  return program;
}

export function wav(bytes = 800): Buffer {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + bytes, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8000, 24);
  head.writeUInt32LE(8000, 28);
  head.writeUInt16LE(1, 32);
  head.writeUInt16LE(8, 34);
  head.write('data', 36);
  head.writeUInt32LE(bytes, 40);
  return Buffer.concat([head, Buffer.alloc(bytes, 0x80)]);
}

/** One of the recordings in `fixtures/media`. */
function recording(name: string): Buffer {
  return readFileSync(join(import.meta.dirname, 'fixtures/media', name));
}

export const mp3 = (): Buffer => recording('sound.mp3');
export const flac = (): Buffer => recording('sound.flac');
export const ogg = (): Buffer => recording('sound.ogg');

/** Picture and sound. */
export function mp4(brand = 'isom'): Buffer {
  const bytes = recording('clip.mp4');
  bytes.write(brand, 8, 'latin1');
  return bytes;
}

export function ebml(docType: 'webm' | 'matroska'): Buffer {
  return recording(docType === 'webm' ? 'clip.webm' : 'clip.mkv');
}

export function bmp(width = 10, height = 7): Buffer {
  const pixels = Math.ceil((width * 24) / 32) * 4 * height;
  const head = Buffer.alloc(54);
  head.write('BM', 0);
  head.writeUInt32LE(54 + pixels, 2);
  head.writeUInt32LE(54, 10);
  head.writeUInt32LE(40, 14);
  head.writeInt32LE(width, 18);
  head.writeInt32LE(height, 22);
  head.writeUInt16LE(1, 26);
  head.writeUInt16LE(24, 28);
  return Buffer.concat([head, Buffer.alloc(pixels, 90)]);
}

export function glb(): Buffer {
  const bytes = Buffer.alloc(64);
  bytes.write('glTF', 0);
  bytes.writeUInt32LE(2, 4);
  bytes.writeUInt32LE(64, 8);
  return bytes;
}

export function safetensors(): Buffer {
  const header = Buffer.from('{"latent_tensor":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, Buffer.alloc(4)]);
}
