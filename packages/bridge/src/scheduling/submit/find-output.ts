import type { Job, JobResult } from '../../jobs/job.ts';

export interface FoundOutput {
  job: Job;
  result: JobResult;
  /** ms since the epoch */
  expiresAt: number;
}

export type FindResult = (resultId: string) => Promise<{ job: Job; result: JobResult } | undefined>;

/** The result of a job by its asset id, for as long as its file is kept: until it was delivered, or has expired. */
export type FindOutput = (resultId: string) => Promise<FoundOutput | undefined>;

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function createFindOutput(
  { findResult, now }: { findResult: FindResult; now: () => number },
  { resultTtlMs }: { resultTtlMs: number },
): FindOutput {
  return async (resultId) => {
    const found = uuid.test(resultId) ? await findResult(resultId) : undefined;
    if (found === undefined || found.job.deliveredAt !== null) return undefined;
    const expiresAt = (found.job.finishedAt ?? found.job.createdAt) + resultTtlMs;
    return found.job.finishedAt !== null && expiresAt <= now() ? undefined : { ...found, expiresAt };
  };
}
