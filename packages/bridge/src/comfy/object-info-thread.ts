import { Worker } from 'node:worker_threads';

import { createDeferred } from '../lib/deferred.ts';
import type { Deferred } from '../lib/deferred.ts';
import type { FromReader, ToReader } from './object-info-messages.ts';

export interface ObjectInfoThreadOptions {
  /** For one answer; a thread that takes longer is ended. ms. */
  deadlineMs: number;
  /** So long a thread is kept that has nothing to do: it holds memory. ms. */
  idleMs: number;
  spawn: () => Worker;
}

/** What a body of the largest size may need, and not so much that a made-up one takes all the machine has. */
const resourceLimits = { maxOldGenerationSizeMb: 1_024 };

/** From sources Node runs the TypeScript file; a build puts the thread's file beside the one that holds this code. */
export function spawnObjectInfoWorker(): Worker {
  const file = import.meta.url.endsWith('.ts') ? './object-info-worker.ts' : './object-info-worker.mjs';
  return new Worker(new URL(file, import.meta.url), { name: 'object-info', resourceLimits });
}

/**
 * A conversation with a thread that is started when there is something to ask, and ended when there is not. One question at
 * a time. When the thread dies, its question rejects and the next one starts another.
 */
export class ObjectInfoThread {
  readonly #options: ObjectInfoThreadOptions;
  #worker: Worker | undefined;
  #question: Deferred<FromReader> | undefined;
  #idle: NodeJS.Timeout | undefined;
  #exited: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: ObjectInfoThreadOptions) {
    this.#options = options;
  }

  async ask<K extends FromReader['kind']>(
    message: ToReader,
    kinds: readonly K[],
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<Extract<FromReader, { kind: K }>> {
    if (this.#closed) throw new Error('the reader is closed');
    clearTimeout(this.#idle);
    const worker = (this.#worker ??= this.#start());
    const question = (this.#question = createDeferred<FromReader>());
    const timer = setTimeout(() => {
      question.reject(new Error('the reader took too long'));
      this.#drop(worker);
    }, this.#options.deadlineMs);
    try {
      worker.postMessage(message, transfer);
      return parseAnswer(await question.promise, kinds);
    } finally {
      clearTimeout(timer);
      this.#question = undefined;
    }
  }

  /** Lets it forget what it was asked about. */
  release(): void {
    const worker = this.#worker;
    if (worker === undefined) return;
    worker.postMessage({ kind: 'close' } satisfies ToReader);
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#drop(worker), this.#options.idleMs).unref();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#idle);
    await this.#worker?.terminate();
    await this.#exited;
  }

  /** Ends it; the next question is for another one, however long the end takes. */
  #drop(worker: Worker): void {
    if (this.#worker === worker) this.#worker = undefined;
    void worker.terminate();
  }

  #start(): Worker {
    const worker = this.#options.spawn();
    worker.unref();
    const exited = createDeferred();
    this.#exited = exited.promise;
    let cause: unknown;
    worker.on('message', (answer: unknown) => this.#question?.resolve(parseMessage(answer)));
    worker.on('messageerror', (error) => this.#question?.reject(error));
    worker.on('error', (error) => {
      cause = error;
    });
    worker.on('exit', () => {
      // The next question starts another; one that is open was for this one.
      if (this.#worker === worker) {
        this.#worker = undefined;
        this.#question?.reject(new Error('the reader ended', { cause }));
      }
      exited.resolve();
    });
    return worker;
  }
}

/** Messages come from our own `object-info-worker.ts` only. */
function parseMessage(data: unknown): FromReader {
  return data as FromReader;
}

function parseAnswer<K extends FromReader['kind']>(
  answer: FromReader,
  kinds: readonly K[],
): Extract<FromReader, { kind: K }> {
  if (!kinds.some((kind) => kind === answer.kind)) throw new Error(`the reader answered ${answer.kind}`);
  return answer as Extract<FromReader, { kind: K }>;
}
