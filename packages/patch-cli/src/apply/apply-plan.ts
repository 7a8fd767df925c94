import { basename, dirname, join } from 'node:path';

import { isDiskError } from '../disk/error-code.ts';
import { sha256 } from '../disk/hash.ts';
import { asideName, temporaryName, writeWhole } from '../disk/write-whole.ts';
import { schemaVersion } from '../plan/receipt.ts';
import type { Journal, Step } from '../plan/journal.ts';
import type { Plan } from '../plan/plan.ts';
import { placesToRecord } from '../plan/recorded-places.ts';
import { refusals } from '../plan/refusals.ts';
import type { Refusal } from '../plan/refusals.ts';
import { spotPath } from '../plan/spot-path.ts';
import type { Places } from '../plan/spot.ts';
import { stateFiles } from '../plan/state-files.ts';
import { finishJournal } from './finish-journal.ts';
import { describeDiskError } from './describe-disk-error.ts';
import { undoJournal } from './undo-journal.ts';
import type { WorkSite } from './work-site.ts';

export type Applied =
  /** `untidy`: done, but what was set aside could not be removed yet; the next run does it. */
  { ok: true; untidy: string | undefined } | { ok: false; refusal: Refusal };

/**
 * Carries a plan out, all or nothing. In this order, so that a process that ends anywhere leaves what the next run can take back
 * or tidy up, and a full disk is found before anything is replaced:
 *
 * 1. the next receipt, the journal, a copy of everything that is going to be replaced: in the state folder;
 * 2. new folders, new files under names of this run, beside their places;
 * 3. renames only: files into place, what goes aside;
 * 4. the journal renamed: from here on it is done;
 * 5. what was set aside is removed, and the journal.
 */
export function applyPlan(site: WorkSite, plan: Plan, places: Places, now: Date): Applied {
  const journal: Journal = {
    schema: schemaVersion,
    command: plan.command,
    startedAt: now.toISOString(),
    run: site.run,
    places: placesToRecord(site.root, places),
    steps: [...plan.steps],
    dropFolders: plan.dropFolders,
    state: plan.state,
  };
  try {
    prepare(site, plan, journal, places);
    for (const step of plan.steps) stage(site, plan, step, places);
    for (const step of plan.steps) perform(site, step, places);
    const path = join(site.state, stateFiles.journal);
    // The last thing that can fail: from here on it is done, whatever comes.
    site.disk.rename(path, join(site.state, stateFiles.doneJournal));
  } catch (error) {
    return { ok: false, refusal: takeBack(site, journal, places, error) };
  }
  try {
    site.disk.syncFolder(site.state);
    finishJournal(site, journal, places);
    return { ok: true, untidy: undefined };
  } catch (error) {
    if (!isDiskError(error)) throw error;
    return { ok: true, untidy: describeDiskError(error) };
  }
}

function prepare({ disk, state, run }: WorkSite, plan: Plan, journal: Journal, places: Places): void {
  if (plan.receipt !== undefined)
    writeWhole(disk, join(state, stateFiles.nextReceipt), toJson(plan.receipt), run);
  writeWhole(disk, join(state, stateFiles.journal), toJson(journal), run);
  const originals = join(state, stateFiles.originals);
  const keep = (path: string, hash: string) => {
    const kept = join(originals, hash);
    const entry = disk.look(kept);
    if (entry !== undefined && sha256(disk.read(kept)) === hash) return;
    if (disk.look(originals) === undefined) disk.createFolder(originals, 0o700);
    const content = disk.read(path);
    if (sha256(content) !== hash) throw new ChangedUnderUs(path);
    writeWhole(disk, kept, content, run, 0o600);
  };
  for (const step of plan.steps)
    if (step.do === 'write' && step.before.kind === 'file')
      keep(spotPath(step.spot, places), step.before.sha256);
  for (const { spot, original } of plan.receipt?.files ?? [])
    if (original !== undefined)
      keepUnlessLost(join(originals, original.sha256), spotPath(spot, places), original.sha256);

  /** An original that is lost already was reported when that mattered; it does not stop an upgrade. */
  function keepUnlessLost(kept: string, path: string, hash: string): void {
    if (disk.look(kept) !== undefined || disk.look(path)?.kind !== 'file') return;
    if (sha256(disk.read(path)) === hash) keep(path, hash);
  }
}

/** A file that was written to between the look and the change. */
class ChangedUnderUs extends Error {
  constructor(path: string) {
    super(`${path} was changed by somebody else meanwhile`);
  }
}

function stage({ disk, state, run }: WorkSite, plan: Plan, step: Step, places: Places): void {
  const path = spotPath(step.spot, places);
  if (step.do === 'make-folder') disk.createFolder(path);
  if (step.do !== 'write') return;
  const content = plan.contents.get(step.sha256) ?? disk.read(join(state, stateFiles.originals, step.sha256));
  // An original comes back with the mode that the receipt has of it; so does a settings file of ours.
  disk.createFile(join(dirname(path), temporaryName(basename(path), run)), content, step.mode);
}

function perform({ disk, run }: WorkSite, step: Step, places: Places): void {
  const path = spotPath(step.spot, places);
  const folder = dirname(path);
  if (step.do === 'write') disk.rename(join(folder, temporaryName(basename(path), run)), path);
  if (step.do === 'set-aside') disk.rename(path, join(folder, asideName(basename(path), run)));
  disk.syncFolder(folder);
}

function takeBack(site: WorkSite, journal: Journal, places: Places, error: unknown): Refusal {
  const reason = describeDiskError(error);
  const isExpected = isDiskError(error) || error instanceof ChangedUnderUs;
  try {
    const undone = undoJournal(site, journal, places, { force: false });
    if (!isExpected) throw error;
    return undone.ok ? refusals.rolledBack(reason) : undone.refusal;
  } catch (second) {
    if (!isExpected || !isDiskError(second)) throw second;
    return refusals.halfWay(`${reason}; then ${describeDiskError(second)}`);
  }
}

function toJson(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`);
}
