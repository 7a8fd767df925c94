import { createHash, randomUUID } from 'node:crypto';

const savedName =
  /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}(?:-(?<owner>[0-9a-f]{16}))?\.[a-z0-9]{1,12}$/;

/**
 * A name that is unique and worthless to guess. `extension` with dot. With an owner it says whose the file is, by a digest: that
 * holds over restarts without a list, and nobody can claim a file by another name, for there is no such file.
 */
export function createSavedName(extension: string, owner?: string): string {
  return `${randomUUID()}${owner === undefined ? '' : `-${toMark(owner)}`}${extension}`;
}

/** True for what `createSavedName` can have made; says nothing of whether the file is there. */
export function isSavedName(name: string): boolean {
  return savedName.test(name);
}

/** The mark of who owns the file; undefined where keys were off and its owner had no secret. */
export function ownerMarkOf(name: string): string | undefined {
  return savedName.exec(name)?.groups?.['owner'];
}

export function toMark(owner: string): string {
  return createHash('sha256').update(`owner ${owner}`).digest('hex').slice(0, 16);
}
