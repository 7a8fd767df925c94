/** What crosses between the bridge's thread and the one that owns the database: strings and numbers, no object graphs. */
export type SqlValue = string | number | null;
export type SqlRow = Record<string, unknown>;

export interface SqlStatement {
  /** One of a bounded number of texts: each is prepared once and kept. */
  sql: string;
  /** Positional. */
  values: readonly SqlValue[];
}

export type SqlRequest =
  | { id: number; kind: 'read'; statement: SqlStatement }
  /** All statements or none; the answer is how many rows the first one changed. */
  | { id: number; kind: 'write'; statements: readonly SqlStatement[]; durable: boolean };

export type SqlAnswer =
  | { id: number; ok: true; value: SqlRow[] | number }
  | { id: number; ok: false; failure: SqlFailure };

/** `refused`: only this request was wrong. The others hit every writer of the batch, and pass. */
export interface SqlFailure {
  reason: 'full' | 'unavailable' | 'refused';
  message: string;
}

/** How the thread opens its database. */
export interface SqliteSettings {
  /** A file, or `:memory:`. */
  path: string;
  /** How long a write waits for another program that holds the database, ms. */
  busyTimeoutMs: number;
  /** The most pages that the database may have; stands in for a full disk in tests. */
  maxPages: number | null;
}

export type ToSqliteThread = { kind: 'requests'; requests: SqlRequest[] } | { kind: 'close' };

export type FromSqliteThread =
  | { kind: 'ready' }
  /** Opening failed; the thread ends. */
  | { kind: 'refused'; message: string }
  | { kind: 'answers'; answers: SqlAnswer[] };
