import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { tryLockDirectory } from './lock.ts';
import { isCurrent, openDatabase } from './schema.ts';

/** The records of a store, for a command that runs beside the bridge or without it. Calls are done when they return. */
export interface RecordsFile extends Disposable {
  /** Whether a bridge has the data directory open. */
  readonly isBridgeRunning: boolean;
  readRecords(collection: string): Promise<Map<string, string>>;
  readRecord(collection: string, key: string): Promise<string | undefined>;
  addRecord(collection: string, key: string, value: string): Promise<boolean>;
  writeRecords(collection: string, entries: ReadonlyMap<string, string>): Promise<void>;
  removeRecords(collection: string, keys: readonly string[]): Promise<void>;
}

const busyTimeoutMs = 5_000;

/**
 * Opens the database of a data directory. SQLite itself keeps two processes that write apart, and each waits for the other; so
 * the bridge may run meanwhile, if it is of the same version. Otherwise what is missing is made. Throws what to do.
 */
export function openRecordsFile(path: string): RecordsFile {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const lock = tryLockDirectory(join(dirname(path), 'bridge.lock'));
  let db: DatabaseSync;
  try {
    db = lock === undefined ? openBeside(path) : openDatabase({ path, busyTimeoutMs, maxPages: null });
  } finally {
    lock?.[Symbol.dispose]();
  }
  db.exec('PRAGMA synchronous = FULL');

  function write(run: () => void): void {
    db.exec('BEGIN IMMEDIATE');
    try {
      run();
      db.exec('COMMIT');
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  }

  return {
    isBridgeRunning: lock === undefined,
    async readRecords(collection) {
      const rows = db.prepare('SELECT key, value FROM records WHERE collection = ?').all(collection);
      return new Map(rows.map(({ key, value }) => [String(key), String(value)]));
    },
    async readRecord(collection, key) {
      const row = db
        .prepare('SELECT value FROM records WHERE collection = ? AND key = ?')
        .get(collection, key);
      return row === undefined ? undefined : String(row['value']);
    },
    async addRecord(collection, key, value) {
      const added = db
        .prepare('INSERT INTO records (collection, key, value) VALUES (?, ?, ?) ON CONFLICT DO NOTHING')
        .run(collection, key, value);
      return Number(added.changes) === 1;
    },
    async writeRecords(collection, entries) {
      const statement = db.prepare(
        'INSERT OR REPLACE INTO records (collection, key, value) VALUES (?, ?, ?)',
      );
      write(() => {
        for (const [key, value] of entries) statement.run(collection, key, value);
      });
    },
    async removeRecords(collection, keys) {
      const statement = db.prepare('DELETE FROM records WHERE collection = ? AND key = ?');
      write(() => {
        for (const key of keys) statement.run(collection, key);
      });
    },
    [Symbol.dispose]: () => db.close(),
  };
}

function openBeside(path: string): DatabaseSync {
  if (!existsSync(path)) {
    throw new Error(
      'the bridge that runs on this data directory keeps nothing there (JOB_STORE=memory): create keys over HTTP, with OPERATOR_TOKEN',
    );
  }
  const db = new DatabaseSync(path, { timeout: busyTimeoutMs });
  if (isCurrent(db)) return db;
  db.close();
  throw new Error('the bridge that runs on this data directory is of another version: restart it first');
}
