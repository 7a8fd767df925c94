import { closeSync, fsync, openSync } from 'node:fs';
import { promisify } from 'node:util';
import { hasCode } from './storage-error.ts';

export const syncFile = promisify(fsync);

/** Makes what was renamed into a folder before the call durable. */
export type FolderSync = () => Promise<void>;

/** Those who come while the disk is busy with one sync share the next: it makes all of their renames durable at once. */
export function createFolderSync(folder: string): FolderSync {
  let current: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  function start(): Promise<void> {
    const started = syncFolder(folder).finally(() => {
      current = undefined;
    });
    current = started;
    return started;
  }

  return () => {
    if (current === undefined) return start();
    // The one under way may have begun before the caller's rename.
    next ??= current
      .catch(() => {})
      .then(() => {
        next = undefined;
        return start();
      });
    return next;
  };
}

/** Systems that cannot sync a folder do so on their own. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = openSync(folder, 'r');
    try {
      await syncFile(handle);
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    // EPERM, EISDIR, EINVAL: not supported here. ENOENT: the folder was removed meanwhile.
    if (!hasCode(error, 'EPERM', 'EISDIR', 'EINVAL', 'EACCES', 'ENOENT')) throw error;
  }
}
