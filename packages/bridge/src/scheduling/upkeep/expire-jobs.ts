import type { Events } from '../../events.ts';
import type { Job } from '../../jobs/job.ts';
import type { JobLedger } from '../../jobs/job-ledger.ts';
import type { JobStore } from '../../jobs/job-store.ts';

export interface ExpireDeps {
  ledger: JobLedger;
  store: JobStore;
  events: Events;
  now: () => number;
}

/** Jobs looked at per round, so that a long backlog never holds up the rest. */
const batch = 500;

/**
 * Ends the retention of finished jobs: after `resultTtlMs` their results go (announced as `job:expired`), after twice that
 * the record itself. Returns how many of each.
 */
export async function expireJobs(
  { ledger, store, events, now }: ExpireDeps,
  { resultTtlMs }: { resultTtlMs: number },
): Promise<{ expired: number; removed: number }> {
  let expired = 0;
  let removed = 0;
  for (;;) {
    const old = await store.finishedBefore(now() - resultTtlMs * 2, batch);
    for (const job of old) {
      if (job.state.status !== 'expired') await ledger.apply(job.id, { type: 'expired', at: now() });
      await store.remove(job.id);
      events.emit('job:forgotten', { job });
      removed += 1;
    }
    if (old.length < batch) break;
  }
  for (const job of await store.finishedBefore(now() - resultTtlMs, batch)) {
    if (job.state.status === 'expired') continue;
    if ((await ledger.apply(job.id, { type: 'expired', at: now() })) !== undefined) expired += 1;
  }
  return { expired, removed };
}

/**
 * Which files of a job's results must be kept, by their index: of one that runs all, of one that is done those that it
 * names. An attempt that was lost may have left others.
 */
export function keptResults(job: Job | undefined): boolean | ReadonlySet<number> {
  if (job === undefined) return false;
  const { state } = job;
  if (state.status === 'succeeded')
    return job.deliveredAt === null && new Set(state.results.map(({ index }) => index));
  return state.status === 'running' || state.status === 'canceling';
}
