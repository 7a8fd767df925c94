import { randomUUID } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync, renameSync, statSync, writeSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { mkdir, open, opendir, readdir, rm, rmdir, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { BridgeError } from '../errors.ts';
import { createDiskPendingFile } from './disk-pending-file.ts';
import { isFileKey, toFileKey, toFilePath, toFolderPath } from './file-paths.ts';
import { smallBytes } from './file-store.ts';
import type { ByteRange, FileKey, FileStore, StoredFileInfo } from './file-store.ts';
import { linkOrCopy, moveDurably } from './move-file.ts';
import { createFolderSync, syncFile } from './folder-sync.ts';
import type { FolderSync } from './folder-sync.ts';
import { hasCode, toStorageError } from './storage-error.ts';

/**
 * Files in a local directory: `uploads/`, `results/`, and `tmp/` for what is being received. `tmp` is emptied at the start,
 * so that a directory belongs to one bridge at a time.
 *
 * What is small is written and read without leaving the event loop, except for the wait for the disk (`fsync`): that takes
 * microseconds in the system's cache, and each trip to the thread pool costs several times as much.
 */
export async function createDiskFileStore({ directory }: { directory: string }): Promise<FileStore> {
  await rm(join(directory, 'tmp'), { recursive: true, force: true });
  for (const folder of ['tmp', 'uploads', 'results'])
    await mkdir(join(directory, folder), { recursive: true, mode: 0o700 });
  const folderSyncs = {
    uploads: createFolderSync(join(directory, 'uploads')),
    results: createFolderSync(join(directory, 'results')),
  };

  function toTarget(key: FileKey): { path: string; syncFolder: FolderSync } {
    if (!isFileKey(key)) throw new Error('not a key of a stored file');
    return {
      path: toFilePath(directory, key),
      syncFolder: key.startsWith('uploads/') ? folderSyncs.uploads : folderSyncs.results,
    };
  }

  return {
    createPending: () => createDiskPendingFile(directory, toTarget),
    async put(key, bytes) {
      const { path, syncFolder } = toTarget(key);
      const temporary = join(directory, 'tmp', randomUUID());
      try {
        await writeDurably(temporary, bytes);
        renameSync(temporary, path);
        await syncFolder();
      } catch (error) {
        await rm(temporary, { force: true });
        throw toStorageError(error);
      }
    },
    stat: async (key) => {
      if (!isFileKey(key)) return undefined;
      return (
        toInfo(key, statSync(toFilePath(directory, key), { throwIfNoEntry: false })) ??
        toInfo(key, statSync(toFolderPath(directory, key), { throwIfNoEntry: false }))
      );
    },
    open: async (key, range) => {
      const opened = isFileKey(key)
        ? ((await openForReading(toFilePath(directory, key), range)) ??
          (await openForReading(toFolderPath(directory, key), range)))
        : undefined;
      if (opened === undefined) throw gone();
      return opened;
    },
    copy: async (from, to) => {
      const { path, syncFolder } = toTarget(to);
      const sources = isFileKey(from) ? [toFilePath(directory, from), toFolderPath(directory, from)] : [];
      const source = sources.find((candidate) => statSync(candidate, { throwIfNoEntry: false })?.isFile());
      if (source === undefined) throw gone();
      await linkOrCopy(source, path, join(directory, 'tmp', randomUUID()));
      await syncFolder();
    },
    adopt: async (source, key) => {
      const { path, syncFolder } = toTarget(key);
      await moveDurably(source, path, join(directory, 'tmp', randomUUID()));
      await syncFolder();
    },
    touch: async (key) => {
      const now = new Date();
      await ignoring('ENOENT', utimes(toTarget(key).path, now, now));
    },
    remove: async (key) => {
      if (await removeFile(toTarget(key).path)) return;
      if (!key.startsWith('results/')) return;
      const path = toFolderPath(directory, key);
      await removeFile(path);
      // The folder of a job goes with its last file.
      await rmdir(dirname(path)).catch(() => {});
    },
    list: (kind) => listFiles(join(directory, kind), kind),
  };
}

function gone(): BridgeError {
  return new BridgeError('not_found', 'the file is gone');
}

async function writeDurably(path: string, bytes: Buffer): Promise<void> {
  if (bytes.length > smallBytes)
    return await writeFile(path, bytes, { flag: 'wx', mode: 0o600, flush: true });
  const handle = openSync(path, 'wx', 0o600);
  try {
    for (let done = 0; done < bytes.length;) done += writeSync(handle, bytes, done);
    await syncFile(handle);
  } finally {
    closeSync(handle);
  }
}

/** Undefined when it is not there. */
async function openForReading(
  path: string,
  range: ByteRange | undefined,
): Promise<{ stream: Readable; size: number } | undefined> {
  try {
    const bytes = readSmall(path);
    if (bytes !== undefined) {
      const part = range === undefined ? bytes : bytes.subarray(range.start, range.end + 1);
      return { stream: toStream(part), size: bytes.length };
    }
    const handle = await open(path, 'r');
    const { size } = await handle.stat();
    return { stream: handle.createReadStream({ ...range, highWaterMark: 256 * 1024 }), size };
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw toStorageError(error);
  }
}

/** Undefined when it is too large to be read at once. */
function readSmall(path: string): Buffer | undefined {
  const handle = openSync(path, 'r');
  try {
    const { size } = fstatSync(handle);
    if (size > smallBytes) return undefined;
    const bytes = Buffer.allocUnsafe(size);
    return bytes.subarray(0, readSync(handle, bytes, 0, size, 0));
  } finally {
    closeSync(handle);
  }
}

function toStream(bytes: Buffer): Readable {
  return new Readable({
    read() {
      this.push(bytes);
      this.push(null);
    },
  });
}

/** False when there was none. */
async function removeFile(path: string): Promise<boolean> {
  return (
    (await ignoring(
      'ENOENT',
      unlink(path).then(() => true),
    )) ?? false
  );
}

function toInfo(key: FileKey, found: Stats | undefined): StoredFileInfo | undefined {
  return found?.isFile() === true ? { key, size: found.size, modifiedAt: found.mtime } : undefined;
}

async function* listFiles(folder: string, kind: 'uploads' | 'results'): AsyncGenerator<StoredFileInfo> {
  for await (const entry of await opendir(folder)) {
    // A job's folder, from before, holds a handful of files; there can be any number of jobs and uploads.
    const names =
      kind === 'results' && entry.isDirectory()
        ? ((await ignoring('ENOENT', readdir(join(folder, entry.name)))) ?? []).map((name) => ({
            key: toFileKey('results', `${entry.name}.${name}`),
            path: join(folder, entry.name, name),
          }))
        : [{ key: toFileKey(kind, entry.name), path: join(folder, entry.name) }];
    for (const { key, path } of names) {
      const info = key && toInfo(key, await ignoring('ENOENT', stat(path)));
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
