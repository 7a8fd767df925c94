import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

import { reachPoint } from '../../lib/crash-point.ts';
import { copyDatabase, dropOldCopies, toCopyPath } from './copy-database.ts';
import { sqliteErrorCode } from './error.ts';
import type { SqliteSettings } from './messages.ts';

/**
 * Jobs in one SQLite file. What never changes (`request`: prompt and staged inputs, kilobytes) and what does (`state`)
 * are separate columns, so that a change of state writes little. A published migration is never edited: add one.
 */
const migrations = [
  `CREATE TABLE jobs (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     id TEXT NOT NULL UNIQUE,
     client_id TEXT,
     workflow TEXT NOT NULL,
     created_at INTEGER NOT NULL,
     request TEXT NOT NULL,
     status TEXT NOT NULL,
     attempt INTEGER NOT NULL,
     finished_at INTEGER,
     state TEXT NOT NULL
   ) STRICT;
   CREATE INDEX jobs_by_client ON jobs (client_id, seq);
   CREATE INDEX jobs_unfinished ON jobs (seq) WHERE finished_at IS NULL;
   CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;
   CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
   INSERT INTO counters VALUES ('generation', 0);`,
  // Every index ends in seq by itself: it is the row id.
  `CREATE INDEX jobs_by_time ON jobs (created_at);
   CREATE INDEX jobs_by_client_time ON jobs (client_id, created_at);
   CREATE INDEX jobs_by_workflow ON jobs (workflow, created_at);
   CREATE INDEX jobs_by_status ON jobs (status, created_at);`,
  `CREATE TABLE records (
     collection TEXT NOT NULL,
     key TEXT NOT NULL,
     value TEXT NOT NULL,
     PRIMARY KEY (collection, key)
   ) STRICT, WITHOUT ROWID;`,
  `CREATE TABLE results (
     id TEXT PRIMARY KEY,
     job_id TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX results_by_job ON results (job_id);
   INSERT OR IGNORE INTO results (id, job_id)
     SELECT json_extract(made.value, '$.id'), jobs.id
     FROM jobs, json_each(jobs.state, '$.state.results') AS made
     WHERE jobs.status = 'succeeded' AND json_extract(made.value, '$.id') IS NOT NULL;
   ALTER TABLE jobs ADD COLUMN account TEXT AS (json_extract(state, '$.account')) VIRTUAL;
   CREATE INDEX jobs_by_account ON jobs (account, created_at) WHERE account IS NOT NULL;`,
];

/** After a burst the log shrinks to this again, bytes. */
const maxIdleLogBytes = 16 * 1024 * 1024;

/**
 * Prompts and the tokens of backends stand in it, so a new one is for this user of the system alone; what SQLite puts beside it
 * has the same permissions. One that is there stays as its operator has it.
 */
function makePrivate(path: string): void {
  if (path === ':memory:') return;
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch {
    // It is there already; or it cannot be made, and SQLite says so next.
  }
}

/**
 * Opens and migrates, in one transaction. Before that, a database of an earlier version is copied to a file beside it, so that the
 * earlier version of the bridge can be gone back to. Throws an error that tells the operator what to do.
 */
export function openDatabase({ path, busyTimeoutMs, maxPages }: SqliteSettings): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    makePrivate(path);
    db = new DatabaseSync(path, { timeout: busyTimeoutMs });
    const version = readVersion(db);
    if (version > migrations.length) {
      throw new Error(
        `${path} was written by a newer version of the bridge (schema ${version}, this one knows ${migrations.length}): start that version, or put a copy of before the upgrade in its place`,
      );
    }
    db.exec(
      `PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = ${maxIdleLogBytes}; PRAGMA temp_store = MEMORY;`,
    );
    if (version > 0 && version < migrations.length && path !== ':memory:') {
      copyDatabase(db, toCopyPath(path, version));
      reachPoint('migration-copied');
    }
    migrate(db, version);
    if (path !== ':memory:') dropOldCopies(path, Date.now());
    if (maxPages !== null) db.exec(`PRAGMA max_page_count = ${maxPages}`);
    return db;
  } catch (error) {
    if (db?.isOpen === true) db.close();
    throw describeOpenError(error, path);
  }
}

/** Of this version of the bridge. */
export const schemaVersion = migrations.length;

/** Whether the database is as this version of the bridge has it. */
export function isCurrent(db: DatabaseSync): boolean {
  return readVersion(db) === migrations.length;
}

/** The number of the migration that it was brought to last; 0 when it is new. */
export function readVersion(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
}

function migrate(db: DatabaseSync, version: number): void {
  db.exec('PRAGMA synchronous = FULL; BEGIN IMMEDIATE');
  try {
    for (const sql of migrations.slice(version)) db.exec(sql);
    // Written also when nothing changed: a database that is only readable must show now, not at the first job.
    db.exec(`PRAGMA user_version = ${migrations.length}`);
    if (version < migrations.length) reachPoint('migration-applied');
    db.exec('COMMIT');
    if (version < migrations.length) reachPoint('migration-committed');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

function describeOpenError(error: unknown, path: string): Error {
  switch (sqliteErrorCode(error)) {
    case 'NOTADB':
    case 'CORRUPT':
      return new Error(`${path} is damaged or not a database: move it away, or put a backup in its place`);
    case 'READONLY':
    case 'CANTOPEN':
    case 'PERM':
      return new Error(
        `${path} cannot be written: give the bridge the right to write there, or set another DATA_DIR`,
      );
    case 'FULL':
      return new Error(`${path} cannot be opened because the disk is full`);
    default:
      return error instanceof Error ? error : new Error(String(error));
  }
}
