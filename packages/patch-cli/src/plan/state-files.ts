import { join } from 'node:path';

import { settingsFile } from './spot.ts';

/** What the CLI keeps in the state folder, besides `originals/`, whose files are named by their hash. */
export const stateFiles = {
  receipt: 'receipt.json',
  /** The receipt of a run that is not committed yet. */
  nextReceipt: 'receipt-new.json',
  journal: 'journal.json',
  doneJournal: 'journal-done.json',
  originals: 'originals',
  lock: 'lock',
  /** Python's own state: who paused, which files are the bridge's. */
  run: 'run',
  /** Says that the folder was made by us, and keeps donor.json's token out of git. */
  marker: '.gitignore',
} as const;

export const markerText = '# Made by comfy-bridge-patch, and removed by its uninstall.\n*\n';

/** A state folder on its way: made under another name and renamed, so that it is there whole or not at all; and the same back. */
export function passingStateFolder(root: string, way: 'new' | 'gone', run: string): string {
  return join(root, `.comfy-bridge.${way}-${run}`);
}

/** Whether a name beside main.py is such a folder. */
export function isPassingStateFolder(name: string): boolean {
  return /^\.comfy-bridge\.(new|gone)-[0-9a-f]{12}$/.test(name);
}

const own = new Set<string>([...Object.values(stateFiles), settingsFile]);

/** Whether a name in the state folder is ours or Python's; half-written files aside. */
export function isOwnStateName(name: string): boolean {
  return own.has(name) || /^\..+\.[0-9a-f]{12}\.tmp$/.test(name);
}
