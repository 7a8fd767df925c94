import type { Dirent } from 'node:fs';
import { copyFile, link, mkdir, readdir, rm, utimes, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { toFileKey, toFilePath, toFolderPath } from '../files/file-paths.ts';
import type { FileKey } from '../files/file-store.ts';
import { codeOf } from '../lib/disk.ts';

/** The disk has no hard links. */
const noLinks = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

/**
 * Uploads and results never change once they are there; they are only removed. So a second name for each, in a folder of ours on the same
 * disk, keeps them as they are, at no cost, while they are copied at leisure.
 */
export interface PinnedFiles {
  readonly keys: ReadonlySet<FileKey>;
  /** Takes in what has come since the last time. */
  pinNew(): Promise<void>;
  /** Lets go of those that are not wanted. */
  keepOnly(isWanted: (key: FileKey) => boolean): Promise<void>;
}

/** The files of the data directory are pinned below `to`, under the same names. */
export async function createPinnedFiles({
  dataDir,
  to,
}: {
  dataDir: string;
  to: string;
}): Promise<PinnedFiles> {
  const keys = new Set<FileKey>();
  for (const kind of ['uploads', 'results']) await mkdir(join(to, kind), { recursive: true, mode: 0o700 });

  async function pin(key: FileKey, source: string): Promise<void> {
    if (keys.has(key)) return;
    try {
      await linkOrCopy(source, toFilePath(to, key));
      keys.add(key);
    } catch (error) {
      // Removed since it was listed: nobody needs it any more, or the next look at the database tells.
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  }

  return {
    keys,
    async pinNew() {
      for (const entry of await list(join(dataDir, 'uploads'))) {
        const key = entry.isFile() ? toFileKey('uploads', entry.name) : undefined;
        if (key !== undefined) await pin(key, toFilePath(dataDir, key));
      }
      for (const entry of await list(join(dataDir, 'results'))) {
        if (entry.isFile()) {
          const key = toFileKey('results', entry.name);
          if (key !== undefined) await pin(key, toFilePath(dataDir, key));
          continue;
        }
        // As results were kept before: a folder for each job.
        if (!entry.isDirectory()) continue;
        for (const { name } of await list(join(dataDir, 'results', entry.name))) {
          const key = toFileKey('results', `${entry.name}.${name}`);
          if (key !== undefined) await pin(key, toFolderPath(dataDir, key));
        }
      }
    },
    async keepOnly(isWanted) {
      for (const key of keys) {
        if (isWanted(key)) continue;
        await rm(toFilePath(to, key), { force: true });
        keys.delete(key);
      }
    },
  };
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!noLinks.includes(codeOf(error))) throw error;
    await copyWithAge(from, to);
  }
}

/** Copies a file; the copy is as old as the original. */
export async function copyWithAge(from: string, to: string): Promise<void> {
  await copyFile(from, to);
  const { atime, mtime } = await stat(from);
  await utimes(to, atime, mtime);
}

/** Empty where there is no such folder. */
export async function list(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}
