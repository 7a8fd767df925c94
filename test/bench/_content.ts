import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { crc32, deflateSync } from 'node:zlib';

/** A file made while it is sent: a head, then the same noise again and again up to its size. */
export interface MadeFile {
  fileName: string;
  contentType: string;
  /** bytes */
  size: number;
  chunks(): Iterable<Buffer>;
}

const noise = randomBytes(1024 * 1024);

export function makeWav(megabytes: number): MadeFile {
  const size = megabytes * 1_000_000;
  const head = Buffer.alloc(44);
  head.write('RIFF', 0, 'latin1');
  head.writeUInt32LE(size - 8, 4);
  head.write('WAVEfmt ', 8, 'latin1');
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20); // PCM
  head.writeUInt16LE(2, 22); // channels
  head.writeUInt32LE(48_000, 24);
  head.writeUInt32LE(192_000, 28); // bytes a second
  head.writeUInt16LE(4, 32);
  head.writeUInt16LE(16, 34); // bits
  head.write('data', 36, 'latin1');
  head.writeUInt32LE(size - 44, 40);
  return { fileName: 'noise.wav', contentType: 'audio/wav', size, chunks: () => fill(head, size) };
}

/** Uncompressed, 24 bits. */
export function makeBmp(megabytes: number): MadeFile {
  const width = 4_000;
  const height = Math.floor((megabytes * 1_000_000 - 54) / (width * 3));
  const size = 54 + width * 3 * height;
  const head = Buffer.alloc(54);
  head.write('BM', 0, 'latin1');
  head.writeUInt32LE(size, 2);
  head.writeUInt32LE(54, 10);
  head.writeUInt32LE(40, 14);
  head.writeInt32LE(width, 18);
  head.writeInt32LE(height, 22);
  head.writeUInt16LE(1, 26);
  head.writeUInt16LE(24, 28);
  head.writeUInt32LE(size - 54, 34);
  return { fileName: 'noise.bmp', contentType: 'image/bmp', size, chunks: () => fill(head, size) };
}

/** RGB noise, stored rather than compressed: `side` × `side` × 3 bytes. It is checked by decoding every pixel. */
export function makePng(side: number): MadeFile {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([8, 2, 0, 0, 0], 8); // 8 bits, RGB
  const row = 1 + side * 3;
  const pixels = Buffer.alloc(row * side);
  for (let line = 0; line < side; line += 1) {
    // Another stretch of the noise for each row, so that the result of a job on it is as large again.
    const from = (line * 131_071) % (noise.length - row);
    noise.copy(pixels, line * row + 1, from, from + side * 3);
  }
  const bytes = Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    toPngChunk('IHDR', header),
    toPngChunk('IDAT', deflateSync(pixels, { level: 0 })),
    toPngChunk('IEND', Buffer.alloc(0)),
  ]);
  return { fileName: 'noise.png', contentType: 'image/png', size: bytes.length, chunks: () => slice(bytes) };
}

/** The body of an upload request, and its headers. */
export function toUploadBody(file: MadeFile): { headers: Record<string, string>; body: Readable } {
  const boundary = 'comfy-bridge-bench-7f3a9c';
  const head = Buffer.from(
    `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${file.fileName}"\r\n` +
      `Content-Type: ${file.contentType}\r\n\r\n`,
  );
  const end = Buffer.from(`\r\n--${boundary}--\r\n`);
  function* write(): Generator<Buffer> {
    yield head;
    yield* file.chunks();
    yield end;
  }
  return {
    headers: {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': String(head.length + file.size + end.length),
    },
    body: Readable.from(write(), { objectMode: false, highWaterMark: noise.length }),
  };
}

function* fill(head: Buffer, size: number): Generator<Buffer> {
  yield head;
  for (let left = size - head.length; left > 0; left -= noise.length)
    yield noise.subarray(0, Math.min(left, noise.length));
}

function* slice(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += noise.length) yield bytes.subarray(at, at + noise.length);
}

function toPngChunk(type: string, data: Buffer): Buffer {
  const chunk = Buffer.alloc(data.length + 12);
  chunk.writeUInt32BE(data.length, 0);
  chunk.write(type, 4, 'latin1');
  data.copy(chunk, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, data.length + 8)), data.length + 8);
  return chunk;
}
