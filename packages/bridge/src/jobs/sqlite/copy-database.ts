import { closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';

/** Copies of before a migration are kept this long: time to go back, but not the prompts of jobs that are long forgotten. */
const copyKeptMs = 7 * 86_400_000;

/**
 * A whole copy as of now, for this user of the system alone, on the disk when this returns; before, there is nothing at `to`. Others
 * may read and write meanwhile. Not SQLite's backup API: that begins again whenever another process has written.
 */
export function copyDatabase(db: DatabaseSync, to: string): void {
  const unfinished = `${to}.unfinished`;
  rmSync(unfinished, { force: true });
  try {
    // `VACUUM INTO` takes an empty file, and it is the one that decides who may read it.
    closeSync(openSync(unfinished, 'wx', 0o600));
    db.prepare('VACUUM INTO ?').run(unfinished);
    syncPath(unfinished, 'r+');
    renameSync(unfinished, to);
    syncFolder(dirname(to));
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}

/** Where the copy of before a migration lies. */
export function toCopyPath(path: string, version: number): string {
  return `${path}.schema-${version}`;
}

/** Removes the copies of migrations that went well a week ago, and what a killed process had begun to copy. */
export function dropOldCopies(path: string, now: number): void {
  const prefix = `${basename(path)}.schema-`;
  for (const name of readdirSync(dirname(path))) {
    if (!name.startsWith(prefix)) continue;
    const copy = join(dirname(path), name);
    const age = now - (statSync(copy, { throwIfNoEntry: false })?.mtimeMs ?? now);
    if (name.endsWith('.unfinished') || age > copyKeptMs) rmSync(copy, { force: true });
  }
}

function syncFolder(folder: string): void {
  try {
    syncPath(folder, 'r');
  } catch {
    // Systems that cannot sync a folder do so on their own.
  }
}

function syncPath(path: string, flags: string): void {
  const handle = openSync(path, flags);
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
