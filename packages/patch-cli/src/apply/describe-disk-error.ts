import { errorCode } from '../disk/error-code.ts';

const words: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota on this disk is used up',
  EACCES: 'there is no right to write',
  EPERM: 'it is not permitted',
  EROFS: 'the disk is read-only',
  EBUSY: 'another program has it open',
  EIO: 'the disk reports an error',
  ENAMETOOLONG: 'the path is too long',
};

/** A failed call for people: what is wrong, then where. */
export function describeDiskError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const word = words[errorCode(error)];
  const path = 'path' in error && typeof error.path === 'string' ? ` (${error.path})` : '';
  return word === undefined ? error.message : `${word}${path}`;
}
