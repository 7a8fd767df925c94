import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Reply } from './http-reply.ts';

export function writeReply(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: Reply,
): void {
  if (response.headersSent || response.destroyed) return;
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  response.writeHead(status, {
    ...headers,
    'content-length': length,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

export function endReply(
  response: ServerResponse,
  status: number,
  contentType: string,
  body: string | Uint8Array,
): void {
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** Announces the whole body, sends half of it and breaks the connection. */
export function writeTruncated(response: ServerResponse, { status, headers, body }: Reply): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, { ...headers, 'content-length': bytes.length });
  response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => response.destroy());
}

/** A body of zeros as large as asked, sent only as fast as it is read. */
export async function writeHuge(
  response: ServerResponse,
  {
    hugeBytes,
    chunked = false,
    contentType = 'image/png',
  }: { hugeBytes: number; chunked?: boolean; contentType?: string },
): Promise<void> {
  response.writeHead(200, {
    'content-type': contentType,
    ...(chunked ? {} : { 'content-length': hugeBytes }),
  });
  // The reader going away in the middle is what such an answer is for.
  await pipeline(Readable.from(blocksOf(hugeBytes)), response).catch(() => undefined);
}

function* blocksOf(bytes: number): Generator<Uint8Array> {
  const block = Buffer.alloc(256 * 1024);
  for (let left = bytes; left > 0; left -= block.length)
    yield left >= block.length ? block : block.subarray(0, left);
}
