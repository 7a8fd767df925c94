import { mkdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { codeOf } from '../lib/disk.ts';
import { copyWithAge, list } from './pin-files.ts';

/** How often a folder that changes meanwhile is copied anew. */
const tries = 5;

/** The files below a folder, as paths with `/`; none when it is not there. What is hidden, and what is no file, is left out. */
export async function listBelow(folder: string, prefix = ''): Promise<string[]> {
  const paths: string[] = [];
  for (const entry of await list(join(folder, prefix))) {
    if (entry.name.startsWith('.')) continue;
    const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    const found = await stat(join(folder, path)).catch(() => undefined);
    if (entry.isDirectory()) paths.push(...(await listBelow(folder, path)));
    else if (found?.isFile() === true) paths.push(path);
  }
  return paths.toSorted();
}

export interface FolderCopy {
  from: string;
  to: string;
  /** One file of the folder, under another name; default: all files below it. */
  only?: { name: string; as: string };
}

/**
 * Copies folders whose files belong together. A publication changes several of them; when anything has changed meanwhile, all are copied
 * again, so that the copy shows one moment. Throws when they never hold still.
 */
export async function copyFolders(copies: readonly FolderCopy[]): Promise<void> {
  for (let left = tries; left > 0; left -= 1) {
    const before = await fingerprint(copies);
    for (const { to } of copies) await rm(to, { recursive: true, force: true });
    for (const copy of copies) {
      for (const path of await listCopied(copy))
        await copyOne(join(copy.from, path), join(copy.to, copy.only?.as ?? path));
    }
    if ((await fingerprint(copies)) === before) return;
  }
  throw new Error('the workflow folder changes all the time: try again when nobody publishes');
}

async function listCopied({ from, only }: { from: string; only?: FolderCopy['only'] | undefined }) {
  return only === undefined ? await listBelow(from) : [only.name];
}

async function copyOne(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  try {
    await copyWithAge(from, to);
  } catch (error) {
    // Gone since it was listed; the fingerprint tells.
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

async function fingerprint(copies: readonly FolderCopy[]): Promise<string> {
  const lines: string[] = [];
  for (const { from, only } of copies) {
    for (const path of await listCopied({ from, only })) {
      const found = await stat(join(from, path)).catch(() => undefined);
      lines.push(`${from} ${path} ${found?.ino} ${found?.size} ${found?.mtimeMs}`);
    }
  }
  return lines.join('\n');
}
