import type { Events } from '../events.ts';
import type { JobLedger } from './job-ledger.ts';

/**
 * On start: jobs of an earlier process that had not ended go back to the queue, in their old order; those that were being
 * canceled are canceled. Returns how many of each.
 */
export async function recoverJobs(
  { ledger, events, now }: { ledger: JobLedger; events: Events; now: () => number },
): Promise<{ requeued: number; canceled: number }> {
  let requeued = 0;
  let canceled = 0;
  for (const job of await ledger.load()) {
    const { id, attempt, state } = job;
    if (state.status === 'canceling') {
      await ledger.apply(id, { type: 'canceled', attempt, reason: 'canceled before a restart', at: now() });
      canceled += 1;
    } else if (state.status === 'running') {
      await ledger.apply(id, { type: 'requeued', attempt, exclude: null });
      requeued += 1;
    } else {
      events.emit('job:queued', { job });
      requeued += 1;
    }
  }
  return { requeued, canceled };
}
