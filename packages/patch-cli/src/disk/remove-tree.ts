import { join } from 'node:path';

import type { Disk } from './disk.ts';
import { errorCode } from './error-code.ts';

/** Removes what is at `path`, whatever it is, links as links; nothing there is fine. Can be run again after an interruption. */
export function removeTree(disk: Disk, path: string): void {
  try {
    removeWhatIsThere(disk, path);
  } catch (error) {
    // Another run tidies up the same: what it left is looked at again.
    if (errorCode(error) !== 'ENOENT') throw error;
    if (disk.look(path) !== undefined) removeTree(disk, path);
  }
}

function removeWhatIsThere(disk: Disk, path: string): void {
  const entry = disk.look(path);
  if (entry === undefined) return;
  if (entry.kind !== 'folder') return disk.removeFile(path);
  for (const name of disk.list(path)) removeTree(disk, join(path, name));
  disk.removeFolder(path);
}
