import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import type { Stats } from 'node:fs';
import { dirname } from 'node:path';

import type { Disk, EntryKind } from './disk.ts';
import { errorCode } from './error-code.ts';

/** Folders cannot be synced on Windows, nor on every file system; a rename is atomic there all the same. */
const cannotSync = new Set(['EPERM', 'EISDIR', 'EINVAL', 'ENOTSUP', 'EACCES', 'EBADF']);
/** What Windows says while a virus scanner still has a file open. */
const busy = new Set(['EPERM', 'EACCES', 'EBUSY']);

/** The file system of this machine. `sync: false` leaves out fsync, for tests only. */
export function createNodeDisk({ sync = true } = {}): Disk {
  return {
    look: (path) =>
      orUndefined(() => {
        const stats = lstatSync(path);
        const { size, mtimeMs, uid } = stats;
        return { kind: kindOf(stats), mode: stats.mode & 0o7777, size, modifiedMs: mtimeMs, owner: uid };
      }),
    read: (path) => readFileSync(path),
    list: (path) => readdirSync(path).sort(),
    linkTarget: (path) => readlinkSync(path),
    realPath: (path) => orUndefined(() => realpathSync.native(path)),
    canWriteIn: (folder) => canWriteIn(folder),
    createFile: (path, content, mode) => createFile(path, content, mode, sync),
    createFolder: (path, mode) => {
      mkdirSync(path, mode);
      giveToOwner(path);
    },
    rename: (from, to) => patiently(() => renameSync(from, to)),
    link: (from, to) => linkSync(from, to),
    removeFile: (path) => patiently(() => unlinkSync(path)),
    removeFolder: (path) => patiently(() => rmdirSync(path)),
    syncFolder: (path) => {
      if (sync) syncFolder(path);
    },
  };
}

function kindOf(stats: Stats): EntryKind {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'folder';
  return stats.isSymbolicLink() ? 'link' : 'other';
}

function orUndefined<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errorCode(error))) return undefined;
    throw error;
  }
}

function canWriteIn(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false; // Whatever the reason is, nothing can be written there.
  }
}

function createFile(path: string, content: Uint8Array, mode: number | undefined, sync: boolean): void {
  // Never readable by others in between: the exact mode comes after the content.
  const file = openSync(path, 'wx', mode === undefined ? 0o666 : 0o600);
  try {
    writeFileSync(file, content);
    if (mode !== undefined && process.platform !== 'win32') fchmodSync(file, mode);
    if (sync) fsyncSync(file);
  } finally {
    closeSync(file);
  }
  giveToOwner(path);
}

/** What root makes in somebody's folder is theirs: a ComfyUI that runs as them must be able to read its settings. */
function giveToOwner(path: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = lstatSync(dirname(path));
  if (uid !== 0) lchownSync(path, uid, gid);
}

function syncFolder(path: string): void {
  try {
    const folder = openSync(path, 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch (error) {
    if (!cannotSync.has(errorCode(error))) throw error;
  }
}

/** On Windows tries a few times within a second; elsewhere once. */
function patiently(change: () => void): void {
  for (let tries = 1; ; tries += 1) {
    try {
      change();
      return;
    } catch (error) {
      if (process.platform !== 'win32' || tries === 5 || !busy.has(errorCode(error))) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50 * tries);
    }
  }
}
