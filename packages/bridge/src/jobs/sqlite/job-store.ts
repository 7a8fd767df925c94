import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import type { JobStatus } from '@comfy-bridge/protocol';

import { JobStoreError, mustSurvivePowerCut } from '../job-store.ts';
import type { JobStore } from '../job-store.ts';
import { jobColumns, parseRow, toRequestText, toStateText } from './job-rows.ts';
import { listJobs } from './list-jobs.ts';
import { lockDirectory } from './lock.ts';
import type { SqlRow, SqlValue, SqliteSettings } from './messages.ts';
import { LostAnswer, SqliteThread, spawnSqliteWorker } from './thread.ts';
import type { SqliteThreadOptions } from './thread.ts';

export type SqliteJobStoreOptions = Partial<SqliteThreadOptions & Omit<SqliteSettings, 'path'>>;

const insert = `INSERT INTO jobs (${jobColumns}, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const addToCount = `UPDATE counters SET value = value + 1 WHERE name = 'generation'`;
const raiseCount = `UPDATE counters SET value = max(value, ?) WHERE name = 'generation'`;
const replace = `UPDATE jobs SET status = ?, attempt = ?, finished_at = ?, state = ?
  WHERE id = ? AND status = ? AND attempt = ? AND coalesce(json_extract(state, '$.revision'), 0) = ?`;
const addResult = `INSERT INTO results (id, job_id) SELECT ?, id FROM jobs
  WHERE id = ? AND status = ? AND attempt = ? AND json_extract(state, '$.revision') = ?`;
const readRecords = 'SELECT key, value FROM records WHERE collection = ?';
const writeRecord = `INSERT INTO records (collection, key, value) VALUES (?, ?, ?)
  ON CONFLICT (collection, key) DO UPDATE SET value = excluded.value`;
const readRecord = 'SELECT value FROM records WHERE collection = ? AND key = ?';
const addRecord =
  'INSERT INTO records (collection, key, value) VALUES (?, ?, ?) ON CONFLICT (collection, key) DO NOTHING';
const dropRecords = 'DELETE FROM records WHERE collection = ?';
const removeRecord = 'DELETE FROM records WHERE collection = ? AND key = ?';
const isStored =
  'SELECT 1 FROM jobs WHERE id = ? AND status = ? AND attempt = ? AND finished_at IS ? AND state = ?';

/**
 * Jobs in one SQLite file, in a thread of its own: no disk stops the bridge's event loop. `:memory:` works. Beside the
 * file lies `bridge.lock`, held while the store is open. Rejects, saying what to do, when another bridge holds it, the
 * file is of a newer version or no database, or the folder cannot be written.
 */
export async function openSqliteJobStore(
  path: string,
  options: SqliteJobStoreOptions = {},
): Promise<JobStore> {
  const { busyTimeoutMs = 2_000, maxPages = null, maxPending = 100_000 } = options;
  const { onLost = () => {}, spawn = spawnSqliteWorker } = options;
  await using parts = new AsyncDisposableStack();
  if (path !== ':memory:') {
    await makeDirectory(dirname(path));
    parts.use(lockDirectory(join(dirname(path), 'bridge.lock')));
  }
  const thread = await SqliteThread.open({ path, busyTimeoutMs, maxPages }, { maxPending, onLost, spawn });
  parts.defer(() => thread.close());
  const opened = parts.move();

  async function read(sql: string, ...values: SqlValue[]): Promise<SqlRow[]> {
    return thread.read({ sql, values });
  }

  async function readJobs(tail: string, ...values: SqlValue[]) {
    return (await read(`SELECT ${jobColumns} FROM jobs ${tail}`, ...values)).map(parseRow);
  }

  return {
    async insert(job) {
      const { id, clientId, workflow, createdAt, attempt, finishedAt, state } = job;
      const values = [id, clientId, workflow, createdAt, toRequestText(job), attempt, finishedAt];
      const statements = [
        { sql: insert, values: [...values, toStateText(job), state.status] },
        { sql: addToCount, values: [] },
      ];
      await orIfKept(
        () => thread.write(statements, { durable: true }),
        () => read('SELECT 1 FROM jobs WHERE id = ?', id),
      );
    },
    async replace(expected, next, { durable = mustSurvivePowerCut(expected, next) } = {}) {
      const fields = [next.state.status, next.attempt, next.finishedAt, toStateText(next)];
      const conditions = [expected.id, expected.state.status, expected.attempt, expected.revision];
      // Only of the job that this very change made: another may have been first.
      const made =
        next.state.status === 'succeeded' && expected.state.status !== 'succeeded' ? next.state.results : [];
      const statements = [
        { sql: replace, values: [...fields, ...conditions] },
        ...made.map(({ id }) => ({
          sql: addResult,
          values: [id, next.id, next.state.status, next.attempt, next.revision],
        })),
      ];
      const changed = await orIfKept(
        () => thread.write(statements, { durable }),
        () => read(isStored, expected.id, ...fields),
      );
      return changed === 1;
    },
    async get(id) {
      return (await readJobs('WHERE id = ?', id))[0];
    },
    async latestOf(clientId) {
      return (await readJobs('WHERE client_id = ? ORDER BY seq DESC LIMIT 1', clientId))[0];
    },
    async findByResult(resultId) {
      return (await readJobs('WHERE id = (SELECT job_id FROM results WHERE id = ?)', resultId))[0];
    },
    unfinished: () => readJobs('WHERE finished_at IS NULL ORDER BY seq'),
    finishedBefore: (time, limit) =>
      readJobs('WHERE finished_at < ? ORDER BY finished_at, seq LIMIT ?', time, limit),
    async list(filter) {
      return (await thread.read(listJobs(filter))).map(parseRow);
    },
    async countByStatus() {
      return parseCounts(await read('SELECT status, count(*) AS jobs FROM jobs GROUP BY status'));
    },
    async remove(id) {
      const statements = [
        { sql: 'DELETE FROM jobs WHERE id = ?', values: [id] },
        { sql: 'DELETE FROM results WHERE job_id = ?', values: [id] },
      ];
      await thread.write(statements, { durable: false });
    },
    async generationCount() {
      const [row] = await read(`SELECT value FROM counters WHERE name = 'generation'`);
      return Number(row?.['value'] ?? 0);
    },
    async raiseGenerationCount(atLeast) {
      await thread.write([{ sql: raiseCount, values: [atLeast] }], { durable: false });
    },
    async readRecords(collection) {
      const rows = await read(readRecords, collection);
      return new Map(rows.map(({ key, value }) => [String(key), String(value)]));
    },
    async writeRecords(collection, entries, { durable = false } = {}) {
      const statements = Array.from(entries, (entry) => ({
        sql: writeRecord,
        values: [collection, ...entry],
      }));
      if (statements.length > 0) await thread.write(statements, { durable });
    },
    async readRecord(collection, key) {
      const [row] = await read(readRecord, collection, key);
      return row === undefined ? undefined : String(row['value']);
    },
    async addRecord(collection, key, value) {
      const statement = { sql: addRecord, values: [collection, key, value] };
      return (await thread.write([statement], { durable: false })) === 1;
    },
    async dropRecords(collection) {
      await thread.write([{ sql: dropRecords, values: [collection] }], { durable: false });
    },
    async removeRecords(collection, keys) {
      const statements = keys.map((key) => ({ sql: removeRecord, values: [collection, key] }));
      if (statements.length > 0) await thread.write(statements, { durable: false });
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** If the thread dies before it answers a write, the next one tells whether it was kept: a false refusal is no better. */
async function orIfKept(write: () => Promise<number>, findKept: () => Promise<SqlRow[]>): Promise<number> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof JobStoreError && error.cause instanceof LostAnswer)) throw error;
    if ((await findKept()).length === 0) throw error;
    return 1;
  }
}

async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new Error(`${directory} cannot be made: set DATA_DIR to a folder that the bridge may write`, {
      cause,
    });
  }
}

/** Rows are ours: their status was written from a job. */
function parseCounts(rows: readonly SqlRow[]): Partial<Record<JobStatus, number>> {
  return Object.fromEntries(rows.map((row) => [row['status'], row['jobs']])) as Partial<
    Record<JobStatus, number>
  >;
}
