import { BridgeError } from '../../errors.ts';
import type { Events } from '../../events.ts';
import type { FileStore } from '../../files/file-store.ts';
import { isTerminal } from '../../jobs/job.ts';
import type { Job } from '../../jobs/job.ts';
import type { JobLedger } from '../../jobs/job-ledger.ts';
import type { JobStore } from '../../jobs/job-store.ts';

/** Ends the retention of a finished job now: its results are removed, and nobody finds it any more. */
export type ForgetJob = (job: Job) => Promise<void>;

export function createForgetJob({
  ledger,
  store,
  files,
  events,
  now,
}: {
  ledger: JobLedger;
  store: JobStore;
  files: FileStore;
  events: Events;
  now: () => number;
}): ForgetJob {
  return async (job) => {
    if (!isTerminal(job.state.status))
      throw new BridgeError('conflict', 'this job has not ended: cancel it first');
    // Told as expired, so that whoever shows it knows; what is left after a crash in between is swept.
    await ledger.apply(job.id, { type: 'expired', at: now() });
    const results = job.state.status === 'succeeded' ? job.state.results : [];
    for (const { index } of results) await files.remove(`results/${job.id}/${index}`);
    await store.remove(job.id);
    events.emit('job:forgotten', { job });
  };
}
