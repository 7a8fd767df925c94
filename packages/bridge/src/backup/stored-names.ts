import type { DatabaseSync } from 'node:sqlite';

import { isFileKey } from '../files/file-paths.ts';
import type { FileKey } from '../files/file-store.ts';

/** What a database says of the files beside it. */
export interface StoredNames {
  /** Files without which something that is kept would be broken: results to be fetched, uploads of jobs and of assets. */
  needed: Set<FileKey>;
  /** Jobs whose results may come at any time. */
  running: Set<string>;
  /** Jobs that wait. */
  waiting: number;
  /** Every job that is kept. */
  jobs: number;
}

const results = `SELECT 'results/' || jobs.id || '/' || json_extract(made.value, '$.index') AS key
  FROM jobs, json_each(jobs.state, '$.state.results') AS made
  WHERE jobs.status = 'succeeded' AND json_extract(jobs.state, '$.deliveredAt') IS NULL`;
const uploads = `SELECT 'uploads/' || json_extract(input.value, '$.source.savedName') AS key
  FROM jobs, json_each(jobs.request, '$.stagedInputs') AS input
  WHERE jobs.finished_at IS NULL AND json_extract(input.value, '$.source.kind') = 'upload'`;
const assets = `SELECT 'uploads/' || json_extract(value, '$.savedName') AS key
  FROM records WHERE collection = 'assets' AND json_extract(value, '$.expiresAt') > ?`;

/** Reads a database of any schema that there has been. */
export function readStoredNames(db: DatabaseSync, now: number): StoredNames {
  const hasRecords = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'records'").get() !== undefined;
  const keys = [
    ...db.prepare(results).all(),
    ...db.prepare(uploads).all(),
    ...(hasRecords ? db.prepare(assets).all(now) : []),
  ].map(({ key }) => String(key));
  const running = db.prepare("SELECT id FROM jobs WHERE status IN ('running', 'canceling')").all();
  const count = (where: string) =>
    Number(db.prepare(`SELECT count(*) AS jobs FROM jobs WHERE ${where}`).get()?.['jobs']);
  return {
    needed: new Set(keys.filter((key) => isFileKey(key))),
    running: new Set(running.map(({ id }) => String(id))),
    waiting: count("status = 'queued'"),
    jobs: count('true'),
  };
}

/** How many jobs have results to be fetched that ended before `time`, ms since the epoch. */
export function countEndedBefore(db: DatabaseSync, time: number): number {
  const row = db
    .prepare(
      `SELECT count(*) AS jobs FROM jobs
       WHERE status = 'succeeded' AND finished_at < ? AND json_extract(state, '$.deliveredAt') IS NULL`,
    )
    .get(time);
  return Number(row?.['jobs']);
}
