import { Readable } from 'node:stream';
import { BridgeError } from '../src/errors.ts';
import { receiveUpload, type UploadLimits } from '../src/files/receive-upload.ts';
import { picture, policy, type StoreFixture } from './_files-fixtures.ts';

export const png = await picture().png().toBuffer();
export const jpeg = await picture().jpeg().toBuffer();
export const boundary = 'XX-boundary-XX';
export const limits: UploadLimits = { maxBytesPerFile: 1024 * 1024, maxFiles: 3, maxFieldBytes: 1000 };

export interface Part {
  disposition: string | Buffer;
  type?: string;
  content: Buffer | string;
}

export function filePart(
  content: Buffer | string,
  fileName = 'a.png',
  name: string | null = 'image',
  type?: string,
): Part {
  return {
    disposition: `form-data;${name === null ? '' : ` name="${name}";`} filename="${fileName}"`,
    content,
    ...(type === undefined ? {} : { type }),
  };
}

export function body(...parts: Part[]): Buffer {
  const pieces = parts.flatMap(({ disposition, type, content }) => [
    Buffer.from(`--${boundary}\r\nContent-Disposition: `),
    Buffer.from(disposition),
    Buffer.from(`${type === undefined ? '' : `\r\nContent-Type: ${type}`}\r\n\r\n`),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)]);
}

export interface Sent {
  stream: Readable;
  headers?: Record<string, string>;
  limits?: Partial<UploadLimits>;
  signal?: AbortSignal;
}

export async function receive({ store }: StoreFixture, sent: Sent) {
  return await receiveUpload({
    store,
    policy,
    limits: { ...limits, ...sent.limits },
    headers: sent.headers ?? { 'content-type': `multipart/form-data; boundary=${boundary}` },
    stream: sent.stream,
    ...(sent.signal === undefined ? {} : { signal: sent.signal }),
  });
}

export async function refusal(work: Promise<unknown>): Promise<BridgeError> {
  const outcome = await work.then(
    () => new Error('it was accepted'),
    (error: unknown) => error,
  );
  if (outcome instanceof BridgeError) return outcome;
  throw outcome;
}

/** In pieces of that size, so that borders fall everywhere. */
export function inPieces(bytes: Buffer, size: number): Readable {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return Readable.from(pieces, { objectMode: false });
}

/** Resolves when that many files are being received. */
export async function seen(fixture: StoreFixture, count: number): Promise<void> {
  while ((await fixture.left()).length < count) await new Promise((resolve) => setImmediate(resolve));
}
