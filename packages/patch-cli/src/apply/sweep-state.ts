import { join } from 'node:path';

import { isTemporaryName } from '../disk/write-whole.ts';
import { readState } from '../tree/read-state.ts';
import { stateFiles } from '../plan/state-files.ts';
import type { WorkSite } from './work-site.ts';

/** Removes from the state folder what belongs to no receipt: half-written files, copies of a run that was taken back or is done. */
export function sweepState({ disk, state }: WorkSite): void {
  const { names, receipt } = readState(disk, state);
  for (const name of names)
    if (isTemporaryName(name) || name === stateFiles.nextReceipt) disk.removeFile(join(state, name));
  // A receipt that cannot be read may still need all of them.
  if (receipt.kind === 'damaged' || receipt.kind === 'newer') return;
  const needed = new Set(
    receipt.kind === 'ok' ? receipt.value.files.map(({ original }) => original?.sha256) : [],
  );
  const folder = join(state, stateFiles.originals);
  if (disk.look(folder)?.kind !== 'folder') return;
  for (const name of disk.list(folder)) if (!needed.has(name)) disk.removeFile(join(folder, name));
  if (disk.list(folder).length === 0) disk.removeFolder(folder);
}
