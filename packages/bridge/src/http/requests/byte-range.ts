import type { ByteRange } from '../../files/file-store.ts';

/** `undefined`: no range that we serve was asked for, and the whole file is the answer. */
export type RangeRequest = ByteRange | 'unsatisfiable' | undefined;

/**
 * Reads a `Range` header (RFC 9110): one range of bytes, `bytes=0-99`, `bytes=100-` or the last ones, `bytes=-100`. Anything
 * else, several ranges among it, may be ignored, and is.
 */
export function parseRange(header: string | undefined, size: number): RangeRequest {
  const [, first = '', last = ''] =
    /^\s*bytes\s*=\s*(\d{0,15})\s*-\s*(\d{0,15})\s*$/i.exec(header ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size - 1 };
  }
  const start = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < start) return undefined;
  return start >= size ? 'unsatisfiable' : { start, end };
}

/** Whether an entity tag is among those of `If-None-Match`, where weak ones count as well. */
export function isMatch(header: string | undefined, etag: string | undefined): boolean {
  if (header === undefined || etag === undefined) return false;
  if (header.trim() === '*') return true;
  return header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
}
