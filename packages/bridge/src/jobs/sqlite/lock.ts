import { DatabaseSync } from 'node:sqlite';

import { sqliteErrorCode } from './error.ts';

/**
 * Takes the data directory for this process: two bridges on one would each take over the other's jobs. The lock is
 * SQLite's own on an empty database that nobody writes, so it works alike on every system, and the operating system frees
 * it however the process ends. Held on the bridge's thread, for it must outlive a database thread that dies.
 */
export function lockDirectory(file: string): Disposable {
  try {
    return lock(file);
  } catch (error) {
    throw describe(error, file);
  }
}

/** The same for a moment's work; undefined while a bridge uses the directory. */
export function tryLockDirectory(file: string): Disposable | undefined {
  try {
    return lock(file);
  } catch (error) {
    if (sqliteErrorCode(error) === 'BUSY') return undefined;
    throw describe(error, file);
  }
}

function lock(file: string): Disposable {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { timeout: 0 });
    // Nothing is ever written, so neither a journal file nor a sync of the disk is needed.
    db.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    if (db?.isOpen === true) db.close();
    throw error;
  }
  const held = db;
  return {
    [Symbol.dispose]() {
      if (held.isOpen) held.close();
    },
  };
}

function describe(error: unknown, file: string): unknown {
  switch (sqliteErrorCode(error)) {
    case 'BUSY':
      return new Error(
        `the data directory is in use by another bridge (${file}): stop that one, or set another DATA_DIR`,
      );
    case 'READONLY':
    case 'CANTOPEN':
    case 'PERM':
      return new Error(
        `${file} cannot be written: give the bridge the right to write there, or set another DATA_DIR`,
      );
    default:
      return error;
  }
}
