import { BridgeError } from '../errors.ts';

/** No room, no free file handle, or a disk that has become read-only: passing conditions of the bridge itself. */
const exhausted = new Set(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'EROFS']);

export function hasCode(error: unknown, ...codes: string[]): boolean {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code)
  );
}

/** Turns what the file system says into a refusal where a caller can do something about it: try again later. */
export function toStorageError(error: unknown): unknown {
  if (!hasCode(error, ...exhausted)) return error;
  return new BridgeError('storage_full', 'the bridge has no room to store files now; try again later', {
    cause: error,
    retryAfter: 30,
  });
}
