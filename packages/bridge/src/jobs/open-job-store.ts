import { join } from 'node:path';

import type { Logger } from '../logging.ts';
import type { JobStore } from './job-store.ts';
import { createMemoryJobStore } from './memory-job-store.ts';
import { openSqliteJobStore } from './sqlite/job-store.ts';

/** Opens the store of that kind; rejects, saying what to do, when its place cannot be used. */
export async function openJobStore(
  { log }: { log: Logger },
  { kind, dataDir }: { kind: 'sqlite' | 'memory'; dataDir: string },
): Promise<JobStore> {
  if (kind === 'memory') return createMemoryJobStore();
  return openSqliteJobStore(join(dataDir, 'bridge.sqlite'), {
    onLost: (err) => log.error({ err }, 'the database thread ended and is started again'),
  });
}
