import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

import type { Events } from '../events.ts';
import type { Logger } from '../logging.ts';
import type { JobStore } from './job-store.ts';

export interface GenerationCount {
  read(): Promise<number>;
  /** Writes what is not written yet. */
  close(): Promise<void>;
}

/**
 * Every job ever started, over restarts. The store counts; the original's `current_state.json` is read once, as where
 * counting starts, and mirrored from then on (at most once a second, replaced as a whole).
 */
export async function createGenerationCount(
  { store, events, log }: { store: JobStore; events: Events; log: Logger },
  { file }: { file: string },
): Promise<GenerationCount> {
  await store.raiseGenerationCount(await readMirror(file, log));
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  async function mirror(): Promise<void> {
    try {
      const count = await store.generationCount();
      await mkdir(dirname(file), { recursive: true });
      await writeFile(`${file}.tmp`, `${JSON.stringify({ generation_count: count })}\n`);
      await rename(`${file}.tmp`, file);
    } catch (error) {
      log.warn({ err: error }, 'could not mirror the generation count');
    }
  }

  function write(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    writing = writing.then(mirror);
    return writing;
  }

  const unsubscribe = events.on('job:queued', ({ job }) => {
    if (job.attempt === 0) timer ??= setTimeout(() => void write(), 1_000).unref();
  });

  return {
    read: () => store.generationCount(),
    async close() {
      unsubscribe();
      if (timer !== undefined) await write();
      await writing;
    },
  };
}

async function readMirror(file: string, log: Logger): Promise<number> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch {
    // The usual first start: there is nothing to take over.
    return 0;
  }
  try {
    const state: unknown = JSON.parse(text);
    if (typeof state === 'object' && state !== null && 'generation_count' in state) {
      const count = Number(state.generation_count);
      if (Number.isSafeInteger(count) && count >= 0) return count;
    }
  } catch {
    // Reported below, together with a file that parses to something else.
  }
  log.warn(
    'the current state file is not readable as {"generation_count": n}: counting goes on from the store',
  );
  return 0;
}
