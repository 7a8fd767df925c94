import type { DatabaseSync, StatementSync } from 'node:sqlite';

import { toSqlFailure } from './error.ts';
import type { SqlAnswer, SqlRequest, SqlRow, SqlStatement } from './messages.ts';

export type RunBatch = (requests: readonly SqlRequest[]) => SqlAnswer[];

/**
 * Group commit: every request that was waiting goes into one transaction, in order, and is answered after its commit. In
 * WAL mode a commit with `synchronous = FULL` syncs the log file (and with it every commit before), one with NORMAL only
 * writes to it: https://www.sqlite.org/wal.html#performance_considerations. So a batch is synced when one request in it
 * asks for that.
 */
export function createBatchRunner(db: DatabaseSync): RunBatch {
  const prepared = new Map<string, StatementSync>();
  let synchronous = '';

  function prepare(sql: string): StatementSync {
    let statement = prepared.get(sql);
    if (statement === undefined) prepared.set(sql, (statement = db.prepare(sql)));
    return statement;
  }

  /** A no-op inside a transaction, so it comes before. */
  function setSynchronous(wanted: 'FULL' | 'NORMAL'): void {
    if (synchronous !== wanted) db.exec(`PRAGMA synchronous = ${wanted}`);
    synchronous = wanted;
  }

  function rows({ sql, values }: SqlStatement): SqlRow[] {
    return prepare(sql).all(...values);
  }

  /** One request among others: if it fails by its own fault, only it is undone. */
  function write(statements: readonly SqlStatement[]): number {
    db.exec('SAVEPOINT request');
    try {
      const [changes] = statements.map(({ sql, values }) => Number(prepare(sql).run(...values).changes));
      db.exec('RELEASE request');
      return changes ?? 0;
    } catch (error) {
      if (db.isTransaction && toSqlFailure(error).reason === 'refused') {
        db.exec('ROLLBACK TO request; RELEASE request');
      }
      throw error;
    }
  }

  function answer(request: SqlRequest): SqlAnswer {
    const { id } = request;
    const grouped = db.isTransaction;
    try {
      return {
        id,
        ok: true,
        value: request.kind === 'read' ? rows(request.statement) : write(request.statements),
      };
    } catch (error) {
      const failure = toSqlFailure(error);
      // A fault of the database or the disk, which may have ended the whole transaction: nothing of it can be kept.
      if (grouped && (failure.reason !== 'refused' || !db.isTransaction)) throw error;
      return { id, ok: false, failure };
    }
  }

  return (requests) => {
    const writes = requests.filter((request) => request.kind === 'write');
    if (writes.length === 0) return requests.map(answer);
    try {
      setSynchronous(writes.some(({ durable }) => durable) ? 'FULL' : 'NORMAL');
      db.exec('BEGIN IMMEDIATE');
      const answers = requests.map(answer);
      db.exec('COMMIT');
      return answers;
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      const { reason, message } = toSqlFailure(error);
      const failure = { reason: reason === 'full' ? reason : 'unavailable', message } as const;
      // What reads saw in the transaction is gone: they look again.
      return requests.map((request) =>
        request.kind === 'read' ? answer(request) : { id: request.id, ok: false, failure },
      );
    }
  };
}
