import { join } from 'node:path';
import type { FileKey } from './file-store.ts';

/** A name within a key: ours to make, and never one that leaves its folder. */
const safeName = '[A-Za-z0-9][A-Za-z0-9._-]{0,199}';
const safeKey = new RegExp(`^(?:uploads/${safeName}|results/${safeName}/\\d{1,9})$`);
const resultFile = /^(.+)\.(\d{1,9})$/;

/** Keys can come from a client's saved name: what is no key of ours is simply not there. */
export function isFileKey(key: string): key is FileKey {
  return safeKey.test(key);
}

/**
 * Where the file of a key lies: `uploads/<savedName>`, `results/<jobId>.<index>`. Results have no folder for each job: making
 * one durable and removing it again costs more than storing a small result.
 */
export function toFilePath(directory: string, key: FileKey): string {
  const [kind = '', name = '', index] = key.split('/');
  return join(directory, kind, index === undefined ? name : `${name}.${index}`);
}

/** Where results were kept before: a folder for each job. They are still found there. */
export function toFolderPath(directory: string, key: FileKey): string {
  return join(directory, key);
}

/** The key of a file found in the folder of its kind; undefined for what others put there. */
export function toFileKey(kind: 'uploads' | 'results', fileName: string): FileKey | undefined {
  const [, jobId = '', index = ''] = resultFile.exec(fileName) ?? [];
  const key = kind === 'uploads' ? `uploads/${fileName}` : `results/${jobId}/${index}`;
  return isFileKey(key) ? key : undefined;
}
