import type { JobFeed } from '../jobs/job-feed.ts';
import type { JobLedger } from '../jobs/job-ledger.ts';
import type { Job } from '../jobs/job.ts';
import type { V2Context } from '../jobs/v2-view.ts';
import type { Scheduler } from './scheduler.ts';

/** What the official job object tells beside the job itself. `origin`: as its reader reaches the bridge. */
export type ContextOf = (job: Job, origin: string) => V2Context;

export function createContextOf(
  { ledger, feed, scheduler }: { ledger: JobLedger; feed: JobFeed; scheduler: Scheduler },
  { basePath, resultTtlMs }: { basePath: string; resultTtlMs: number },
): ContextOf {
  return (job, origin) => ({
    origin,
    progress: ledger.progressOf(job.id) ?? feed.lastProgress(job),
    outputs: ledger.outputsOf(job.id),
    queuePosition: scheduler.positionOf(job.id),
    basePath,
    resultTtlMs,
  });
}
