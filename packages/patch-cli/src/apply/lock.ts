import { hostname } from 'node:os';
import { join } from 'node:path';

import { z } from 'zod';

import type { Disk } from '../disk/disk.ts';
import { errorCode, isDiskError } from '../disk/error-code.ts';
import { removeTree } from '../disk/remove-tree.ts';
import { refusals } from '../plan/refusals.ts';
import type { Refusal } from '../plan/refusals.ts';
import { readText } from '../tree/read-text.ts';
import { markerText, passingStateFolder, stateFiles } from '../plan/state-files.ts';
import { isRunning, startOf } from './process-life.ts';
import type { WorkSite } from './work-site.ts';

const lockSchema = z.object({
  pid: z.int().positive(),
  /** When the process began, as the system counts it; null where that cannot be known. */
  processStart: z.string().nullable(),
  host: z.string(),
  since: z.string(),
  run: z.string(),
});
type Holder = z.infer<typeof lockSchema>;

/** No run takes this long: a lock that cannot be judged otherwise is left behind. */
const staleAfterMs = 10 * 60_000;
const tries = 20;

/**
 * Makes this run the only one on this ComfyUI, and the state folder if there is none. Undefined when it is; what to release is
 * found by the run's number.
 */
export function acquireLock(site: WorkSite, now: Date): Refusal | undefined {
  try {
    return tryToAcquire(site, now);
  } catch (error) {
    removeQuietly(site.disk, besidePath(site));
    dropBareState(site);
    throw error;
  }
}

function tryToAcquire(site: WorkSite, now: Date): Refusal | undefined {
  for (let count = 0; ; count += 1) {
    ensureStateFolder(site);
    if (createLock(site, now)) return undefined;
    const text = readText(site.disk, lockPath(site));
    const holder = text === undefined ? undefined : parseHolder(text);
    if (holder !== undefined && !isStale(holder, now))
      return refusals.busy(holder.pid, holder.since, lockPath(site));
    if (text !== undefined && holder === undefined && !isOld(site, now))
      return refusals.busy(0, 'now', lockPath(site));
    if (count === tries) return refusals.busy(holder?.pid ?? 0, holder?.since ?? 'now', lockPath(site));
    if (text !== undefined) removeStale(site, text);
  }
}

/** Whether a live run has the lock; for commands that only look. */
export function findHolder(site: WorkSite, now: Date): { pid: number; since: string } | undefined {
  const text = readText(site.disk, lockPath(site));
  const holder = text === undefined ? undefined : parseHolder(text);
  return holder === undefined || isStale(holder, now) ? undefined : holder;
}

/** Gives the lock back, with the state folder if that is ours and holds nothing else. */
export function releaseLock(site: WorkSite): void {
  removeQuietly(site.disk, besidePath(site));
  if (holdsLock(site) && !dropBareState(site)) site.disk.removeFile(lockPath(site));
}

/** Removes a state folder of ours with nothing in it but, at most, this run's lock. */
function dropBareState(site: WorkSite): boolean {
  const { disk, state } = site;
  if (disk.look(state)?.kind !== 'folder') return false;
  const names = disk.list(state).filter((name) => name !== stateFiles.lock || !holdsLock(site));
  const isBare =
    readText(disk, join(state, stateFiles.marker)) === markerText &&
    names.every((name) => name === stateFiles.marker);
  if (isBare) removeStateFolder(site);
  return isBare;
}

/** Whether this run still has the lock: it is gone with a state folder that was removed. */
export function holdsLock(site: WorkSite): boolean {
  const text = readText(site.disk, lockPath(site));
  return text !== undefined && parseHolder(text)?.run === site.run;
}

/** Away in one rename, so that a folder of ours is never there without its marker; then piece by piece. */
export function removeStateFolder({ disk, root, state, run }: WorkSite): void {
  const gone = passingStateFolder(root, 'gone', run);
  disk.rename(state, gone);
  disk.syncFolder(root);
  removeTree(disk, gone);
}

function ensureStateFolder({ disk, root, state, run }: WorkSite): void {
  if (disk.look(state) !== undefined) return;
  const coming = passingStateFolder(root, 'new', run);
  try {
    disk.createFolder(coming, 0o700);
    disk.createFile(join(coming, stateFiles.marker), Buffer.from(markerText));
    disk.rename(coming, state);
  } catch (error) {
    removeTree(disk, coming);
    // Another run was quicker, and its lock decides; or took this for a leftover, and it is tried again.
    if (disk.look(state) === undefined && errorCode(error) !== 'ENOENT') throw error;
  }
  disk.syncFolder(root);
}

/** A lock is there whole or not at all: written under another name, then linked. False when there is one already. */
function createLock(site: WorkSite, now: Date): boolean {
  const { disk, state, run } = site;
  const holder: Holder = {
    pid: process.pid,
    processStart: startOf(process.pid) ?? null,
    host: hostname(),
    since: now.toISOString(),
    run,
  };
  const content = Buffer.from(`${JSON.stringify(holder)}\n`);
  const beside = besidePath(site);
  const path = join(state, stateFiles.lock);
  try {
    if (disk.look(beside) === undefined) disk.createFile(beside, content);
    try {
      disk.link(beside, path);
    } catch (error) {
      // Some file systems have no links.
      if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP', 'EMLINK', 'EISDIR'].includes(errorCode(error)))
        throw error;
      disk.createFile(path, content);
    }
    return true;
  } catch (error) {
    // ENOENT: the run that had the lock took the folder with it.
    if (['EEXIST', 'ENOENT'].includes(errorCode(error))) return false;
    throw error;
  } finally {
    removeQuietly(disk, beside);
  }
}

/** What cannot be removed now is removed when the lock is released, or by the next run. */
function removeQuietly(disk: Disk, path: string): void {
  try {
    if (disk.look(path) !== undefined) disk.removeFile(path);
  } catch (error) {
    if (!isDiskError(error)) throw error;
  }
}

/** Only one of several that see the same stale lock gets to rename it; one that took a fresh lock instead puts it back. */
function removeStale({ disk, state, run }: WorkSite, text: string): void {
  const path = join(state, stateFiles.lock);
  const aside = join(state, `.stale-lock.${run}.tmp`);
  try {
    disk.rename(path, aside);
    if (readText(disk, aside) !== text && disk.look(path) === undefined) disk.rename(aside, path);
    else disk.removeFile(aside);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error; // Another one was quicker.
  }
}

function isStale({ pid, processStart, host, since }: Holder, now: Date): boolean {
  if (host === hostname()) {
    if (!isRunning(pid)) return true;
    const start = startOf(pid);
    if (start !== undefined && processStart !== null) return start !== processStart;
  }
  return !(now.getTime() - Date.parse(since) < staleAfterMs);
}

/** Of a lock that says nothing: only a file system without links leaves one, in the middle of writing. */
function isOld({ disk, state }: WorkSite, now: Date): boolean {
  const modifiedMs = disk.look(join(state, stateFiles.lock))?.modifiedMs ?? 0;
  return now.getTime() - modifiedMs > 10_000;
}

function parseHolder(text: string): Holder | undefined {
  try {
    return lockSchema.parse(JSON.parse(text));
  } catch {
    return undefined; // Whatever it is, it names nobody.
  }
}

function besidePath({ state, run }: WorkSite): string {
  return join(state, `.lock.${run}.tmp`);
}

function lockPath({ state }: WorkSite): string {
  return join(state, stateFiles.lock);
}
