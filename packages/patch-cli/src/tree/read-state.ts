import { join } from 'node:path';

import type { Disk } from '../disk/disk.ts';
import type { StateFacts } from '../plan/facts.ts';
import { journalSchema } from '../plan/journal.ts';
import { readRecord, receiptSchema } from '../plan/receipt.ts';
import { settingsFile } from '../plan/spot.ts';
import { readText } from './read-text.ts';
import { markerText, stateFiles } from '../plan/state-files.ts';

/** A record larger than this is not ours. */
const maxRecordBytes = 10_000_000;

/** What the state folder says. `folder` must be a plain folder, or not there. */
export function readState(disk: Disk, folder: string): StateFacts {
  const exists = disk.look(folder) !== undefined;
  const names = exists ? disk.list(folder) : [];
  const phase = names.includes(stateFiles.doneJournal)
    ? 'done'
    : names.includes(stateFiles.journal)
      ? 'doing'
      : 'none';
  const text = (name: string) =>
    names.includes(name) ? (readText(disk, join(folder, name), maxRecordBytes) ?? '') : undefined;
  const settings = disk.look(join(folder, settingsFile));
  return {
    exists,
    made: exists && readText(disk, join(folder, stateFiles.marker)) === markerText,
    names,
    receipt: readRecord(text(stateFiles.receipt), receiptSchema),
    journal: {
      phase,
      reading: readRecord(
        text(phase === 'done' ? stateFiles.doneJournal : stateFiles.journal),
        journalSchema,
      ),
    },
    settings: settings?.kind === 'file' ? text(settingsFile) : undefined,
    settingsMode: settings?.mode,
  };
}
