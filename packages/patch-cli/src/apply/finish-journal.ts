import { basename, dirname, join } from 'node:path';

import { errorCode } from '../disk/error-code.ts';
import { removeTree } from '../disk/remove-tree.ts';
import { asideName } from '../disk/write-whole.ts';
import type { Journal } from '../plan/journal.ts';
import { spotPath } from '../plan/spot-path.ts';
import type { Places } from '../plan/spot.ts';
import { readState } from '../tree/read-state.ts';
import { isOwnStateName, stateFiles } from '../plan/state-files.ts';
import { removeStateFolder } from './lock.ts';
import { sweepState } from './sweep-state.ts';
import type { WorkSite } from './work-site.ts';

/** Tidies up after a run whose steps are all done. Can be interrupted and run again. */
export function finishJournal(
  site: WorkSite,
  { steps, dropFolders, state, run }: Journal,
  places: Places,
): void {
  const { disk } = site;
  for (const step of steps) {
    if (step.do !== 'set-aside') continue;
    const path = spotPath(step.spot, places);
    removeTree(disk, join(dirname(path), asideName(basename(path), run)));
  }
  for (const spot of dropFolders) dropIfEmpty(site, spotPath(spot, places));
  if (state.end === 'remove') return removeOwnState(site, state);

  const next = join(site.state, stateFiles.nextReceipt);
  if (disk.look(next) !== undefined) disk.rename(next, join(site.state, stateFiles.receipt));
  disk.syncFolder(site.state);
  sweepState(site);
  disk.removeFile(join(site.state, stateFiles.doneJournal));
}

function dropIfEmpty({ disk }: WorkSite, path: string): void {
  if (disk.look(path)?.kind !== 'folder') return;
  try {
    disk.removeFolder(path);
  } catch (error) {
    // Somebody else's files are in it now: it stays.
    if (!['ENOTEMPTY', 'EEXIST'].includes(errorCode(error))) throw error;
  }
}

/** The whole folder when it is ours and nobody put anything else in; otherwise ours in it, the journal last. */
function removeOwnState(site: WorkSite, { had, force }: { had: readonly string[]; force: boolean }): void {
  const { disk, state } = site;
  const { made, names } = readState(disk, state);
  const foreign = names.filter((name) => !isOwnStateName(name));
  if (made && (foreign.length === 0 || force)) return removeStateFolder(site);
  const last: string[] = [stateFiles.lock, stateFiles.marker, stateFiles.doneJournal];
  for (const name of names)
    if (isOwnStateName(name) && !had.includes(name) && !last.includes(name))
      removeTree(disk, join(state, name));
  if (made) disk.removeFile(join(state, stateFiles.marker));
  disk.removeFile(join(state, stateFiles.doneJournal));
}
