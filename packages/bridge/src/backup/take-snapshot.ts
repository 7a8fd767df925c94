import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import type { FileKey } from '../files/file-store.ts';
import { copyDatabase } from '../jobs/sqlite/copy-database.ts';
import { readVersion, schemaVersion } from '../jobs/sqlite/schema.ts';
import { databaseName } from './manifest.ts';
import { createPinnedFiles } from './pin-files.ts';
import { readStoredNames } from './stored-names.ts';
import type { StoredNames } from './stored-names.ts';

const busyTimeoutMs = 10_000;
const maxRounds = 5;

export interface Snapshot {
  names: StoredNames;
  /** Files that the database names and nobody has any more. */
  lost: FileKey[];
}

/**
 * The database as it is at one moment, with every file that it names, below `to`; a bridge may work meanwhile.
 *
 * A file is on the disk before the database names it, and is removed after the database has stopped naming it. So the files are pinned,
 * then the database is copied, then what came meanwhile is pinned as well. What the copy names and is not there even so was removed in
 * between: the next copy of the database does not name it any more. What two copies miss was gone before.
 */
export async function takeSnapshot({
  dataDir,
  to,
  now,
}: {
  dataDir: string;
  to: string;
  now: number;
}): Promise<Snapshot> {
  const pinned = await createPinnedFiles({ dataDir, to });
  const copy = join(to, databaseName);
  using live = new DatabaseSync(join(dataDir, databaseName), { timeout: busyTimeoutMs });
  if (readVersion(live) > schemaVersion)
    throw new Error('the data directory is of a newer version of the bridge: back up with that version');

  let missed = new Set<FileKey>();
  for (let round = 1; ; round += 1) {
    await pinned.pinNew();
    copyDatabase(live, copy);
    await pinned.pinNew();
    const names = readNames(copy, now);
    const lost = [...names.needed].filter((key) => !pinned.keys.has(key));
    if (round < maxRounds && lost.some((key) => !missed.has(key))) {
      missed = new Set(lost);
      continue;
    }
    // Results that were fetched meanwhile are not to live on in a backup.
    await pinned.keepOnly((key) => {
      const [kind, jobId = ''] = key.split('/');
      return kind === 'uploads' || names.needed.has(key) || names.running.has(jobId);
    });
    return { names, lost };
  }
}

function readNames(copy: string, now: number): StoredNames {
  using db = new DatabaseSync(copy, { readOnly: true });
  const [check] = db.prepare('PRAGMA quick_check(1)').all();
  if (check?.['quick_check'] !== 'ok')
    throw new Error('the database is damaged: it cannot be backed up as a whole');
  return readStoredNames(db, now);
}
