import { randomUUID } from 'node:crypto';

const savedName = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.[a-z0-9]{1,12}$/;

/** A name that is unique and worthless to guess. `extension` with dot. */
export function createSavedName(extension: string): string {
  return `${randomUUID()}${extension}`;
}

/** True for what `createSavedName` can have made; says nothing of whether the file is there. */
export function isSavedName(name: string): boolean {
  return savedName.test(name);
}
