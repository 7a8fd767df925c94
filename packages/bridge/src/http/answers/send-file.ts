import { pipeline } from 'node:stream/promises';

import type { Request, Response } from 'express';

import { BridgeError } from '../../errors.ts';
import type { FileKey, FileStore } from '../../files/file-store.ts';
import { isMatch, parseRange } from '../requests/byte-range.ts';

export interface SentFile {
  key: FileKey;
  contentType: string;
  /** As the receiver may save it. */
  fileName: string;
  /** `blake3:<hex>`, where it is known. */
  hash: string | undefined;
  /** Whether a browser that opens it shows it, and does not save it. Only of what holds no script. Default false. */
  isShown?: boolean;
}

/**
 * Answers with a stored file, or with the one range of it that was asked for; 304 when the client has it. Rejects with
 * `BridgeError`: `not_found` when the file is gone, `range_not_satisfiable`.
 */
export async function sendFile(
  files: Pick<FileStore, 'stat' | 'open'>,
  { key, contentType, fileName, hash, isShown = false }: SentFile,
  request: Request,
  response: Response,
): Promise<void> {
  const found = await files.stat(key);
  if (found === undefined) throw new BridgeError('not_found', 'the file is gone');
  const { size } = found;
  const etag = hash === undefined ? undefined : `"${hash}"`;
  response.setHeader('Accept-Ranges', 'bytes');
  if (etag !== undefined) response.setHeader('ETag', etag);
  if (isMatch(request.get('If-None-Match'), etag)) {
    response.status(304).end();
    return;
  }
  const range = isRangeWanted(request, etag) ? parseRange(request.get('Range'), size) : undefined;
  if (range === 'unsatisfiable') {
    response.setHeader('Content-Range', `bytes */${size}`);
    throw new BridgeError('range_not_satisfiable', `the file has ${size} bytes: ask for a range within them`);
  }
  const opened = request.method === 'HEAD' ? undefined : await files.open(key, range);
  response.attachment(fileName);
  if (isShown)
    response.setHeader(
      'Content-Disposition',
      String(response.getHeader('Content-Disposition')).replace(/^attachment/, 'inline'),
    );
  response.type(contentType);
  if (range !== undefined) {
    response.status(206);
    response.setHeader('Content-Range', `bytes ${range.start}-${range.end}/${size}`);
  }
  response.setHeader('Content-Length', String(range === undefined ? size : range.end - range.start + 1));
  if (opened === undefined) {
    response.end();
    return;
  }
  await pipeline(opened.stream, response).catch((error: unknown) => {
    // A client that goes away is no failure.
    if (!response.destroyed) throw error;
  });
}

/** Of a file that has changed since, the whole is wanted. Only `GET` knows ranges. */
function isRangeWanted(request: Request, etag: string | undefined): boolean {
  const condition = request.get('If-Range');
  return request.method === 'GET' && (condition === undefined || condition.trim() === etag);
}
