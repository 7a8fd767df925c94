import type { JobStore } from '../jobs/job-store.ts';
import { createRunningState } from '../lib/running-state.ts';
import type { Logger } from '../logging.ts';
import type { Experience } from './experience.ts';

/** Between writes; what a crash loses is learned again. */
const everyMs = 5_000;
const mostRows = 100_000;

/**
 * Brings back what an earlier process had learned, and writes down what is new, now and then and at the end. A store that
 * fails costs nothing but that.
 */
export async function keepExperience({
  store,
  experience,
  log,
}: {
  store: JobStore;
  experience: Experience;
  log: Logger;
}): Promise<AsyncDisposable> {
  const { costs, memory, hangs } = experience;
  const running = createRunningState();
  const parts = [
    ['costs', costs],
    ['memory', memory],
    ['hangs', hangs],
  ] as const;
  for (const [collection, part] of parts) {
    const rows = await store.readRecords(collection);
    // Workflows come and go over the years.
    const surplus = [...rows.keys()].slice(mostRows);
    if (surplus.length > 0) await store.removeRecords(collection, surplus);
    part.restore(rows);
  }

  async function flush(): Promise<void> {
    for (const [collection, part] of parts) {
      const changes = [...part.takeChanges()];
      const gone = changes.filter(([, text]) => text === '').map(([key]) => key);
      const written = changes.filter(([, text]) => text !== '');
      if (written.length > 0) await store.writeRecords(collection, new Map(written));
      if (gone.length > 0) await store.removeRecords(collection, gone);
    }
  }

  async function run(): Promise<void> {
    while (running.shouldRun()) {
      await running.sleep(everyMs);
      await flush().catch((error: unknown) => log.warn({ err: error }, 'what was learned was not kept'));
    }
  }

  const done = run();
  return {
    async [Symbol.asyncDispose]() {
      running.stop();
      await done;
    },
  };
}
