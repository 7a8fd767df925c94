import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';

import { parseLossless, stringifyLossless } from '../lib/lossless-json.ts';
import type { Job, JobId } from './job.ts';
import type { JobStore } from './job-store.ts';

/**
 * Jobs in one SQLite file. What never changes (`request`: prompt and staged inputs, kilobytes) and what does (`state`)
 * are separate columns, so that a change of state writes little. WAL keeps readers and the writer apart.
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
];

const columns = 'id, client_id, workflow, created_at, request, attempt, finished_at, state';

/** Opens (and migrates) the file; `:memory:` works. Throws when the file was written by a newer version. */
export function openSqliteJobStore(path: string): JobStore {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
  const db = new DatabaseSync(path);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000;');
  migrate(db, path);

  const statements = {
    insert: db.prepare(
      `INSERT INTO jobs (${columns}, status) VALUES (:id, :client_id, :workflow, :created_at, :request, :attempt, :finished_at, :state, :status)`,
    ),
    replace: db.prepare(
      `UPDATE jobs SET status = :status, attempt = :attempt, finished_at = :finished_at, state = :state
       WHERE id = :id AND status = :expected_status AND attempt = :expected_attempt`,
    ),
    get: db.prepare(`SELECT ${columns} FROM jobs WHERE id = ?`),
    latestOf: db.prepare(`SELECT ${columns} FROM jobs WHERE client_id = ? ORDER BY seq DESC LIMIT 1`),
    unfinished: db.prepare(`SELECT ${columns} FROM jobs WHERE finished_at IS NULL ORDER BY seq`),
    finishedBefore: db.prepare(
      `SELECT ${columns} FROM jobs WHERE finished_at < ? ORDER BY finished_at, seq LIMIT ?`,
    ),
    remove: db.prepare('DELETE FROM jobs WHERE id = ?'),
    count: db.prepare(`SELECT value FROM counters WHERE name = 'generation'`),
    addToCount: db.prepare(`UPDATE counters SET value = value + 1 WHERE name = 'generation'`),
    raiseCount: db.prepare(`UPDATE counters SET value = max(value, ?) WHERE name = 'generation'`),
  };

  return {
    async insert(job) {
      inTransaction(db, () => {
        statements.insert.run(toRow(job));
        statements.addToCount.run();
      });
    },
    async replace(expected, next) {
      const { id, status, attempt, finished_at, state } = toRow(next);
      const result = statements.replace.run({
        id,
        status,
        attempt,
        finished_at,
        state,
        expected_status: expected.state.status,
        expected_attempt: expected.attempt,
      });
      return Number(result.changes) === 1;
    },
    async get(id) {
      return readOne(statements.get, id);
    },
    async latestOf(clientId) {
      return readOne(statements.latestOf, clientId);
    },
    async unfinished() {
      return statements.unfinished.all().map(parseRow);
    },
    async finishedBefore(time, limit) {
      return statements.finishedBefore.all(time, limit).map(parseRow);
    },
    async remove(id) {
      statements.remove.run(id);
    },
    async generationCount() {
      return Number(statements.count.get()?.['value'] ?? 0);
    },
    async raiseGenerationCount(atLeast) {
      statements.raiseCount.run(atLeast);
    },
    async [Symbol.asyncDispose]() {
      if (db.isOpen) db.close();
    },
  };
}

function migrate(db: DatabaseSync, path: string): void {
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  if (version > migrations.length) {
    throw new Error(`${path} was written by a newer version of the bridge (schema ${version}); start that version`);
  }
  for (const [index, sql] of migrations.entries()) {
    if (index < version) continue;
    inTransaction(db, () => {
      db.exec(sql);
      db.exec(`PRAGMA user_version = ${index + 1}`);
    });
  }
}

function inTransaction(db: DatabaseSync, work: () => void): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    work();
    db.exec('COMMIT');
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}

function readOne(statement: StatementSync, key: string): Job | undefined {
  const row = statement.get(key);
  return row === undefined ? undefined : parseRow(row);
}

function toRow(job: Job) {
  const { id, clientId, workflow, createdAt, attempt, finishedAt, prompt, stagedInputs, outputNodes } = job;
  const { state, excluded, startedAt, deliveredAt } = job;
  return {
    id,
    client_id: clientId,
    workflow,
    created_at: createdAt,
    request: stringifyLossless({ prompt, stagedInputs, outputNodes }),
    status: state.status,
    attempt,
    finished_at: finishedAt,
    state: JSON.stringify({ state, excluded, startedAt, deliveredAt }),
  };
}

/** Rows are ours: written by `toRow` of this or an older version, so their shape is trusted after the parse. */
function parseRow(row: Record<string, unknown>): Job {
  const request = parseLossless(String(row['request'])) as Pick<Job, 'prompt' | 'stagedInputs' | 'outputNodes'>;
  const mutable = JSON.parse(String(row['state'])) as Pick<
    Job,
    'state' | 'excluded' | 'startedAt' | 'deliveredAt'
  >;
  return {
    id: row['id'] as JobId,
    clientId: row['client_id'] as string | null,
    workflow: String(row['workflow']),
    createdAt: Number(row['created_at']),
    attempt: Number(row['attempt']),
    finishedAt: row['finished_at'] === null ? null : Number(row['finished_at']),
    ...request,
    ...mutable,
  };
}
