import { basename, dirname, join } from 'node:path';

import type { Disk } from '../disk/disk.ts';
import { errorCode } from '../disk/error-code.ts';
import { sha256 } from '../disk/hash.ts';
import { removeTree } from '../disk/remove-tree.ts';
import { asideName, temporaryName, writeWhole } from '../disk/write-whole.ts';
import type { Journal, Step } from '../plan/journal.ts';
import { refusals } from '../plan/refusals.ts';
import type { Refusal } from '../plan/refusals.ts';
import { spotPath } from '../plan/spot-path.ts';
import type { Places } from '../plan/spot.ts';
import { stateFiles } from '../plan/state-files.ts';
import { sweepState } from './sweep-state.ts';
import type { WorkSite } from './work-site.ts';

type WriteStep = Extract<Step, { do: 'write' }>;

/**
 * Takes back what was done of a journal, last step first. Each step is judged by what stands there, so this can be interrupted
 * and run again. Refuses, and changes nothing, when somebody else changed one of the files since, unless `force`.
 */
export function undoJournal(
  site: WorkSite,
  { steps, run }: Journal,
  places: Places,
  { force }: { force: boolean },
): { ok: true } | { ok: false; refusal: Refusal } {
  const { disk, state } = site;
  const changed = steps.filter((step) => !canUndo(disk, step, run, places));
  if (changed.length > 0 && !force)
    return { ok: false, refusal: refusals.changedSince(changed.map(({ spot }) => spotPath(spot, places))) };
  for (const step of [...steps].reverse()) {
    const path = spotPath(step.spot, places);
    if (step.do === 'write') undoWrite(site, step, path, run);
    if (step.do === 'set-aside') undoAside(disk, path, run);
    if (step.do === 'make-folder') undoFolder(disk, path);
  }
  sweepState(site);
  if (disk.look(join(state, stateFiles.journal)) !== undefined)
    disk.removeFile(join(state, stateFiles.journal));
  return { ok: true };
}

function canUndo(disk: Disk, step: Step, run: string, places: Places): boolean {
  const path = spotPath(step.spot, places);
  switch (step.do) {
    case 'make-folder':
      return true;
    case 'set-aside':
      return disk.look(path) === undefined || disk.look(asidePath(path, run)) === undefined;
    case 'write':
      return judgeWrite(disk, step, path) !== 'changed';
  }
}

function judgeWrite(
  disk: Disk,
  { sha256: after, before }: WriteStep,
  path: string,
): 'before' | 'after' | 'changed' {
  const entry = disk.look(path);
  if (entry === undefined) return before.kind === 'absent' ? 'before' : 'after';
  if (entry.kind !== 'file') return 'changed';
  const now = sha256(disk.read(path));
  if (before.kind === 'file' && now === before.sha256 && entry.mode === before.mode) return 'before';
  return now === after ? 'after' : 'changed';
}

function undoWrite(site: WorkSite, step: WriteStep, path: string, run: string): void {
  const { disk, state } = site;
  const temporary = join(dirname(path), temporaryName(basename(path), run));
  if (disk.look(temporary) !== undefined) disk.removeFile(temporary);
  if (judgeWrite(disk, step, path) === 'before') return;
  const { before } = step;
  if (before.kind === 'file') {
    const content = disk.read(join(state, stateFiles.originals, before.sha256));
    writeWhole(disk, path, content, run, before.mode);
  } else if (disk.look(path)?.kind === 'file' || disk.look(path)?.kind === 'link') {
    disk.removeFile(path);
    disk.syncFolder(dirname(path));
  }
}

function undoAside(disk: Disk, path: string, run: string): void {
  const aside = asidePath(path, run);
  if (disk.look(aside) === undefined) return;
  // Only with `force`: what came in its place meanwhile goes.
  removeTree(disk, path);
  disk.rename(aside, path);
  disk.syncFolder(dirname(path));
}

/** Removes a folder that the run made, unless somebody put something in it; what Python compiled meanwhile is nothing. */
function undoFolder(disk: Disk, path: string): void {
  if (disk.look(path)?.kind !== 'folder') return;
  removeTree(disk, join(path, '__pycache__'));
  try {
    disk.removeFolder(path);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST'].includes(errorCode(error))) throw error;
  }
}

function asidePath(path: string, run: string): string {
  return join(dirname(path), asideName(basename(path), run));
}
