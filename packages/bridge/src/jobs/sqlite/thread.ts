import { Worker } from 'node:worker_threads';

import { createDeferred } from '../../lib/deferred.ts';
import type { Deferred } from '../../lib/deferred.ts';
import { JobStoreError } from '../job-store.ts';
import type {
  FromSqliteThread,
  SqlAnswer,
  SqlRequest,
  SqlRow,
  SqlStatement,
  SqliteSettings,
  ToSqliteThread,
} from './messages.ts';

export interface SqliteThreadOptions {
  /** Requests not answered yet; one more is refused. */
  maxPending: number;
  /** Told each time that the thread ended by itself; it is started again. */
  onLost: (cause: unknown) => void;
  spawn: (settings: SqliteSettings) => Worker;
}

/** The cause of a `JobStoreError`: the thread died, and whether it had kept what it was asked is not known. */
export class LostAnswer extends Error {
  override readonly name = 'LostAnswer';
}

/** Requests in one message. */
const maxMessage = 256;
const firstDelayMs = 50;
const maxDelayMs = 5_000;

/** From sources Node runs the TypeScript file; a build puts the thread's file beside the one that holds this code. */
export function spawnSqliteWorker(settings: SqliteSettings): Worker {
  const file = import.meta.url.endsWith('.ts') ? './worker.ts' : './sqlite-worker.mjs';
  return new Worker(new URL(file, import.meta.url), { name: 'sqlite', workerData: settings });
}

/**
 * A database in a thread of its own. Requests take effect in the order of the calls; those of one turn of the event loop
 * travel together. If the thread dies, what it had not answered rejects with a `LostAnswer`, and another
 * one is started after a pause that grows with every failure; requests made meanwhile wait for that one start.
 */
export class SqliteThread {
  readonly #settings: SqliteSettings;
  readonly #options: SqliteThreadOptions;
  readonly #pending = new Map<number, Deferred<unknown>>();
  #outbox: SqlRequest[] = [];
  #lastId = 0;
  #failures = 0;
  #restart: NodeJS.Timeout | undefined;
  /** The thread that answers now. */
  #worker: Worker | undefined;
  /** Resolves when the thread started last has ended. */
  #exited: Promise<void> = Promise.resolve();
  #opened = false;
  #closing: Promise<void> | undefined;

  private constructor(settings: SqliteSettings, options: SqliteThreadOptions) {
    this.#settings = settings;
    this.#options = options;
  }

  /** Rejects when the database cannot be opened, saying what to do about it. */
  static async open(settings: SqliteSettings, options: SqliteThreadOptions): Promise<SqliteThread> {
    const thread = new SqliteThread(settings, options);
    await thread.#start();
    thread.#opened = true;
    return thread;
  }

  async read(statement: SqlStatement): Promise<SqlRow[]> {
    return parseRows(await this.#request((id) => ({ id, kind: 'read', statement })));
  }

  /** All statements or none; resolves with the number of rows that the first one changed. */
  async write(statements: readonly SqlStatement[], { durable }: { durable: boolean }): Promise<number> {
    return Number(await this.#request((id) => ({ id, kind: 'write', statements, durable })));
  }

  /** Ends after everything asked for before. Safe to call twice. */
  close(): Promise<void> {
    return (this.#closing ??= this.#shutDown());
  }

  #request(toRequest: (id: number) => SqlRequest): Promise<unknown> {
    if (this.#closing !== undefined || this.#pending.size >= this.#options.maxPending) {
      const why = this.#closing === undefined ? 'too many requests wait for the disk' : 'the store is closed';
      return Promise.reject(new JobStoreError('unavailable', { cause: new Error(why) }));
    }
    this.#lastId += 1;
    const deferred = createDeferred<unknown>();
    this.#pending.set(this.#lastId, deferred);
    // A message wakes the other thread, which costs more than most of what is in it.
    if (this.#outbox.length === 0) setImmediate(() => this.#flush());
    this.#outbox.push(toRequest(this.#lastId));
    return deferred.promise;
  }

  #flush(): void {
    if (this.#worker === undefined) return;
    while (this.#outbox.length > 0) {
      post(this.#worker, { kind: 'requests', requests: this.#outbox.splice(0, maxMessage) });
    }
  }

  async #start(): Promise<void> {
    let worker: Worker;
    try {
      worker = this.#options.spawn(this.#settings);
    } catch (error) {
      this.#lose(error);
      throw error;
    }
    const started = createDeferred();
    const exited = createDeferred();
    this.#exited = exited.promise;
    let cause: unknown;
    worker.on('message', (data: unknown) => {
      const message = parseMessage(data);
      if (message.kind === 'ready') {
        this.#worker = worker;
        started.resolve();
        this.#flush();
        if (this.#closing !== undefined) post(worker, { kind: 'close' });
      } else if (message.kind === 'refused') {
        cause = new Error(message.message);
      } else {
        this.#failures = 0;
        for (const answer of message.answers) this.#settle(answer);
      }
    });
    worker.on('error', (error) => {
      cause = error;
    });
    worker.on('exit', (code) => {
      this.#worker = undefined;
      cause ??= new Error(`the database thread ended with code ${code}`);
      started.reject(cause);
      this.#lose(cause);
      exited.resolve();
    });
    await started.promise;
  }

  #settle(answer: SqlAnswer): void {
    const deferred = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if (answer.ok) return deferred?.resolve(answer.value);
    const { reason, message } = answer.failure;
    const cause = new Error(message);
    deferred?.reject(reason === 'refused' ? cause : new JobStoreError(reason, { cause }));
  }

  /** The thread is gone: fails what it left, and starts another unless this was asked for. */
  #lose(cause: unknown): void {
    this.#rejectPending(new LostAnswer('the database thread ended', { cause }));
    if (!this.#opened || this.#closing !== undefined) return;
    this.#options.onLost(cause);
    const delay = Math.min(maxDelayMs, firstDelayMs * 2 ** this.#failures);
    this.#failures += 1;
    // A thread that starts but cannot open the database comes back here by its end.
    this.#restart = setTimeout(() => void this.#start().catch(() => {}), delay);
  }

  #rejectPending(cause: unknown): void {
    const lost = [...this.#pending.values()];
    this.#pending.clear();
    this.#outbox = [];
    for (const deferred of lost) deferred.reject(new JobStoreError('unavailable', { cause }));
  }

  async #shutDown(): Promise<void> {
    clearTimeout(this.#restart);
    this.#flush();
    // One that is starting is told when it is ready.
    if (this.#worker !== undefined) post(this.#worker, { kind: 'close' });
    await this.#exited;
    // What waited for a start that was called off.
    this.#rejectPending(new Error('the store is closed'));
  }
}

function post(worker: Worker, message: ToSqliteThread): void {
  worker.postMessage(message);
}

/** Messages come from our own `worker.ts` only. */
function parseMessage(data: unknown): FromSqliteThread {
  return data as FromSqliteThread;
}

function parseRows(value: unknown): SqlRow[] {
  return value as SqlRow[];
}
