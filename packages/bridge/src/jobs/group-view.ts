import type { GroupStatus } from '@comfy-bridge/protocol';

import { isTerminal } from './job.ts';
import type { Job, JobId } from './job.ts';
import { publicStatus } from './v2-view.ts';

/** Jobs that were submitted together. They are jobs like all others; the group only remembers which they are. */
export interface JobGroup {
  /** A UUID; whoever knows it may see the group and cancel it. */
  readonly id: string;
  readonly account: string;
  /** The alias of a published workflow. */
  readonly workflow: string;
  /** ms since the epoch */
  readonly createdAt: number;
  readonly jobIds: readonly JobId[];
}

export interface GroupSummary {
  status: GroupStatus;
  /** 0 to 1; 1 only when all have ended. */
  progress: number;
  total: number;
  counts: Record<GroupStatus, number>;
}

/** The worst first: what is to be told of a group whose jobs have ended differently. */
const worstFirst = ['failed', 'canceled', 'expired', 'succeeded'] as const;

/** How a group stands. Jobs that are gone (undefined) have expired. Pure. */
export function summarizeGroup(
  jobs: readonly (Job | undefined)[],
  progressOf: (job: Job) => number,
): GroupSummary {
  const counts: GroupSummary['counts'] = {
    queued: 0,
    running: 0,
    succeeded: 0,
    failed: 0,
    canceled: 0,
    expired: 0,
  };
  let done = 0;
  for (const job of jobs) {
    counts[toGroupStatus(job)] += 1;
    done += job === undefined || isTerminal(job.state.status) ? 1 : progressOf(job);
  }
  return {
    status: toStatus(counts, jobs.length),
    progress: jobs.length === 0 ? 1 : done / jobs.length,
    total: jobs.length,
    counts,
  };
}

function toGroupStatus(job: Job | undefined): GroupStatus {
  if (job === undefined) return 'expired';
  const status = publicStatus(job);
  return status === 'canceling' ? 'running' : status;
}

function toStatus(counts: GroupSummary['counts'], total: number): GroupStatus {
  if (counts.queued === total && total > 0) return 'queued';
  if (counts.queued + counts.running > 0) return 'running';
  return worstFirst.find((status) => counts[status] > 0) ?? 'succeeded';
}
