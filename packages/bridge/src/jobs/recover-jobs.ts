import type { Events } from '../events.ts';
import type { Job } from './job.ts';
import type { JobLedger } from './job-ledger.ts';

export interface RecoverDeps {
  ledger: JobLedger;
  events: Events;
  hasBackend(name: string): boolean;
  /** Goes on with an attempt of an earlier process. */
  takeOver(job: Job): void;
  /** Takes back the second run of an attempt of an earlier process: the first one goes on. */
  dropHedge(hedge: NonNullable<Job['hedge']> & Pick<Job, 'stagedInputs'>): void;
  now: () => number;
}

/**
 * On start: finds every job of an earlier process that had not ended. What waited goes back to the queue, in its old order;
 * what was on a backend is taken over there, which finds out whether its prompt still runs, has finished or is gone. A job
 * whose backend is not in the fleet any more goes back to the queue. Returns how many of each.
 */
export async function recoverJobs(
  deps: RecoverDeps,
): Promise<{ queued: number; takenOver: number; canceled: number }> {
  const { ledger, events, now } = deps;
  const counts = { queued: 0, takenOver: 0, canceled: 0 };
  for (const job of await ledger.load()) {
    const { id, attempt, state, hedge, stagedInputs } = job;
    if (hedge !== null) deps.dropHedge({ ...hedge, stagedInputs });
    if (!('backend' in state)) {
      events.emit('job:queued', { job });
      counts.queued += 1;
    } else if (deps.hasBackend(state.backend)) {
      deps.takeOver(job);
      counts.takenOver += 1;
    } else if (state.status === 'canceling') {
      await ledger.apply(id, { type: 'canceled', attempt, reason: 'canceled before a restart', at: now() });
      counts.canceled += 1;
    } else {
      await ledger.apply(id, { type: 'requeued', attempt, exclude: [], counts: false, at: now() });
      counts.queued += 1;
    }
  }
  return counts;
}
