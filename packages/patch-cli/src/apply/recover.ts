import { join } from 'node:path';

import { removeTree } from '../disk/remove-tree.ts';
import { isTemporaryName } from '../disk/write-whole.ts';
import { placesFromRecord } from '../plan/recorded-places.ts';
import { refusals } from '../plan/refusals.ts';
import type { Refusal } from '../plan/refusals.ts';
import { readState } from '../tree/read-state.ts';
import { isPassingStateFolder, stateFiles } from '../plan/state-files.ts';
import { finishJournal } from './finish-journal.ts';
import { undoJournal } from './undo-journal.ts';
import type { WorkSite } from './work-site.ts';

export type Recovered =
  | { ok: true; what: 'nothing' }
  | { ok: true; what: 'undone' | 'finished'; command: string; startedAt: string }
  | { ok: false; refusal: Refusal };

/** Ends what an interrupted run left: undone unless all of it was done. Only with the lock. */
export function recover(site: WorkSite, { force }: { force: boolean }): Recovered {
  const { disk, root, state } = site;
  for (const name of disk.list(root)) if (isPassingStateFolder(name)) removeTree(disk, join(root, name));
  const { journal, names } = readState(disk, state);
  if (journal.phase === 'none') {
    for (const name of names) if (isLeftOver(name, site.run)) disk.removeFile(join(state, name));
    return { ok: true, what: 'nothing' };
  }
  const path = join(state, journal.phase === 'done' ? stateFiles.doneJournal : stateFiles.journal);
  if (journal.reading.kind === 'newer') return { ok: false, refusal: refusals.newer(path) };
  if (journal.reading.kind !== 'ok') return { ok: false, refusal: refusals.damaged(path) };
  const { value } = journal.reading;
  const places = placesFromRecord(root, value.places);
  const about = { command: value.command, startedAt: value.startedAt };
  if (journal.phase === 'done') {
    finishJournal(site, value, places);
    return { ok: true, what: 'finished', ...about };
  }
  const undone = undoJournal(site, value, places, { force });
  return undone.ok ? { ok: true, what: 'undone', ...about } : undone;
}

/** Of a run that ended before it wrote its journal. */
function isLeftOver(name: string, run: string): boolean {
  return (isTemporaryName(name) && !name.includes(run)) || name === stateFiles.nextReceipt;
}
