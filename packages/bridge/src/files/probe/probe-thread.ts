import { Worker } from 'node:worker_threads';

import { createDeferred } from '../../lib/deferred.ts';
import type { Deferred } from '../../lib/deferred.ts';
import type { FromProber, ToProber } from './probe-messages.ts';

export interface ProbeThreadOptions {
  /** For one file, beside the time that reading it takes; a thread that takes longer is ended. ms. */
  deadlineMs: number;
  /** So much longer it may take when the thread has to begin first. ms. */
  startMs: number;
  /** So long a thread is kept that has nothing to do. ms. */
  idleMs: number;
  /** A parser that has taken more than this is started anew. */
  maxMemoryBytes: number;
  spawn: () => Worker;
}

/** One file at a time. When the thread dies, its file rejects and the next one starts another. */
export interface ProbeThread {
  ask(message: ToProber): Promise<FromProber['media']>;
  close(): Promise<void>;
}

/** What the parser reads in a millisecond on a machine that is busy. */
const bytesPerMs = 8_000;
const resourceLimits = { maxOldGenerationSizeMb: 128 };

/** From sources Node runs the TypeScript file; a build puts the thread's file beside the one that holds this code. */
export function spawnProbeWorker(): Worker {
  const file = import.meta.url.endsWith('.ts') ? './probe-worker.ts' : './probe-worker.mjs';
  return new Worker(new URL(file, import.meta.url), { name: 'media-probe', resourceLimits });
}

export function createProbeThread({
  deadlineMs,
  startMs,
  idleMs,
  maxMemoryBytes,
  spawn,
}: ProbeThreadOptions): ProbeThread {
  let current: { worker: Worker; exited: Promise<void> } | undefined;
  let question: Deferred<FromProber> | undefined;
  let idle: NodeJS.Timeout | undefined;

  function start(): { worker: Worker; exited: Promise<void> } {
    const worker = spawn();
    worker.unref();
    const exited = createDeferred();
    const started = { worker, exited: exited.promise };
    let cause: unknown;
    const isCurrent = () => current === started;
    worker.on('message', (answer: unknown) => {
      if (isCurrent()) question?.resolve(parseAnswer(answer));
    });
    worker.on('messageerror', (error) => question?.reject(error));
    worker.on('error', (error) => {
      cause = error;
    });
    worker.on('exit', () => {
      exited.resolve();
      if (!isCurrent()) return;
      current = undefined;
      question?.reject(new Error('the prober ended', { cause }));
    });
    return started;
  }

  /** Ends it; the next file is for another one, however long the end takes. */
  async function drop(): Promise<void> {
    clearTimeout(idle);
    const dropped = current;
    current = undefined;
    await dropped?.worker.terminate();
    await dropped?.exited;
  }

  return {
    async ask(message) {
      clearTimeout(idle);
      const readMs = Math.min(message.size, message.maxRead) / bytesPerMs;
      const patienceMs = deadlineMs + readMs + (current === undefined ? startMs : 0);
      current ??= start();
      const asked = (question = createDeferred<FromProber>());
      const timer = setTimeout(() => {
        asked.reject(new Error('the prober took too long'));
        void drop();
      }, patienceMs);
      try {
        current.worker.postMessage(message);
        const { media, memoryBytes } = await asked.promise;
        if (memoryBytes > maxMemoryBytes) void drop();
        return media;
      } finally {
        clearTimeout(timer);
        question = undefined;
        if (current !== undefined) idle = setTimeout(() => void drop(), idleMs).unref();
      }
    },
    close: drop,
  };
}

/** Messages come from our own `probe-worker.ts` only. */
function parseAnswer(answer: unknown): FromProber {
  return answer as FromProber;
}
