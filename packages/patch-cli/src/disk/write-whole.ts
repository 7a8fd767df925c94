import { basename, dirname, join } from 'node:path';

import type { Disk } from './disk.ts';

/** Puts a file in place whole or not at all: beside it first, then renamed over it. `run` makes the name beside it ours. */
export function writeWhole(disk: Disk, path: string, content: Uint8Array, run: string, mode?: number): void {
  const beside = join(dirname(path), temporaryName(basename(path), run));
  if (disk.look(beside) !== undefined) disk.removeFile(beside);
  disk.createFile(beside, content, mode);
  disk.rename(beside, path);
  disk.syncFolder(dirname(path));
}

/** What a file is called until it is whole. */
export function temporaryName(name: string, run: string): string {
  return `.${name}.${run}.tmp`;
}

/** What a file or folder is called that is gone for everybody else. ComfyUI loads nothing whose name ends so. */
export function asideName(name: string, run: string): string {
  return `.${name}.${run}.disabled`;
}

/** Whether a name is one of a run of ours, and which; runs are 12 hexadecimal digits. */
export function isTemporaryName(name: string): boolean {
  return /^\..+\.[0-9a-f]{12}\.tmp$/.test(name);
}
