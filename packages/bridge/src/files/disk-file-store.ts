import { mkdir, open, opendir, readdir, rm, rmdir, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BridgeError } from '../errors.ts';
import { createDiskPendingFile } from './disk-pending-file.ts';
import type { FileKey, FileStore, StoredFileInfo } from './file-store.ts';
import { hasCode, toStorageError } from './storage-error.ts';

/** A name within a key: ours to make, and never one that leaves its folder. */
const safeName = '[A-Za-z0-9][A-Za-z0-9._-]{0,199}';
const safeKey = new RegExp(`^(?:uploads/${safeName}|results/${safeName}/${safeName})$`);

/** Keys can come from a client's saved name: what is no key of ours is simply not there. */
function isFileKey(key: string): key is FileKey {
  return safeKey.test(key);
}

/**
 * Files in a local directory: `uploads/`, `results/<jobId>/`, and `tmp/` for what is being received. `tmp` is emptied at
 * the start, so that a directory belongs to one bridge at a time.
 */
export async function createDiskFileStore({ directory }: { directory: string }): Promise<FileStore> {
  await rm(join(directory, 'tmp'), { recursive: true, force: true });
  for (const folder of ['tmp', 'uploads', 'results'])
    await mkdir(join(directory, folder), { recursive: true });

  function toPath(key: FileKey): string {
    if (!isFileKey(key)) throw new Error('not a key of a stored file');
    return join(directory, key);
  }

  return {
    createPending: () => createDiskPendingFile(directory, toPath),
    stat: async (key) => (isFileKey(key) ? await inspect(join(directory, key), key) : undefined),
    open: async (key) => {
      if (!isFileKey(key)) throw missing();
      return await openForReading(join(directory, key));
    },
    touch: async (key) => {
      const now = new Date();
      await ignoring('ENOENT', utimes(toPath(key), now, now));
    },
    remove: async (key) => {
      const path = toPath(key);
      await rm(path, { force: true });
      // The folder of a job goes with its last file.
      if (key.startsWith('results/')) await rmdir(dirname(path)).catch(() => {});
    },
    list: (kind) => listFiles(join(directory, kind), kind),
  };
}

async function openForReading(path: string): ReturnType<FileStore['open']> {
  try {
    const handle = await open(path, 'r');
    const { size } = await handle.stat();
    return { stream: handle.createReadStream({ highWaterMark: 256 * 1024 }), size };
  } catch (error) {
    if (hasCode(error, 'ENOENT')) throw missing();
    throw toStorageError(error);
  }
}

async function inspect(path: string, key: FileKey): Promise<StoredFileInfo | undefined> {
  const found = await ignoring('ENOENT', stat(path));
  return found?.isFile() === true ? { key, size: found.size, modifiedAt: found.mtime } : undefined;
}

async function* listFiles(folder: string, prefix: 'uploads' | `results`): AsyncGenerator<StoredFileInfo> {
  for await (const entry of await opendir(folder)) {
    // A job's folder holds a handful of files; there can be any number of jobs and uploads.
    const names = entry.isDirectory()
      ? ((await ignoring('ENOENT', readdir(join(folder, entry.name)))) ?? [])
      : undefined;
    for (const name of names?.map((file) => `${entry.name}/${file}`) ?? [entry.name]) {
      const key = `${prefix}/${name}`;
      const info = isFileKey(key) ? await inspect(join(folder, name), key) : undefined;
      if (info !== undefined) yield info;
    }
  }
}

async function ignoring<T>(code: string, work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (hasCode(error, code)) return undefined;
    throw error;
  }
}

function missing(): BridgeError {
  return new BridgeError('not_found', 'the file is gone');
}
