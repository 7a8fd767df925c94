import { copyFile, link, open, rename, rm, unlink, utimes } from 'node:fs/promises';

import { hasCode, toStorageError } from './storage-error.ts';

/** The disk has no hard links, or the two places are not on one disk. */
const noLinks = ['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

/** `to` must not exist. `temporary` is on the disk of `to`. What `to` holds is durable, its place in the folder is not yet. */
export async function linkOrCopy(from: string, to: string, temporary: string): Promise<void> {
  try {
    // The age of a file says when it was used last, and two names of one file share it.
    const now = new Date();
    await utimes(from, now, now);
    await link(from, to);
  } catch (error) {
    if (!hasCode(error, ...noLinks)) throw toStorageError(error);
    await copyDurably(from, to, temporary);
  }
}

/** As `linkOrCopy`, and nothing is left at `from`. */
export async function moveDurably(from: string, to: string, temporary: string): Promise<void> {
  try {
    await sync(from);
    await rename(from, to);
  } catch (error) {
    if (!hasCode(error, 'EXDEV')) throw toStorageError(error);
    await copyDurably(from, to, temporary);
    await unlink(from);
  }
}

async function copyDurably(from: string, to: string, temporary: string): Promise<void> {
  try {
    await copyFile(from, temporary);
    await sync(temporary);
    await rename(temporary, to);
  } catch (error) {
    await rm(temporary, { force: true });
    throw toStorageError(error);
  }
}

async function sync(path: string): Promise<void> {
  await using handle = await open(path, 'r+');
  await handle.sync();
}
