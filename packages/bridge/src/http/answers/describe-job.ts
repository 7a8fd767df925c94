import type { BridgeJob } from '@comfy-bridge/protocol';

import type { Identity } from '../../access/identity.ts';
import type { Job } from '../../jobs/job.ts';
import { toBridgeJob } from '../../jobs/v2-view.ts';
import type { JobEta, V2Context } from '../../jobs/v2-view.ts';
import { unscopeClientId } from '../requests/identity.ts';

/** Who is told of a job. */
export interface Viewer {
  /** As it reaches the bridge. */
  origin: string;
  /** Undefined where keys are off. */
  identity: Identity | undefined;
}

/** A job as `GET /api/bridge/jobs/{id}` answers it to this caller, who has been found to be one that may have it. */
export type DescribeJob = (job: Job, viewer: Viewer) => BridgeJob;

export interface DescribeJobDeps {
  contextOf(job: Job, origin: string): V2Context;
  etaOf(job: Job): JobEta | undefined;
  whyWaiting(job: Job): string | null;
  /** How the first text that it was given begins. */
  summaryOf(job: Job): string | null;
}

export function createDescribeJob({ contextOf, etaOf, whyWaiting, summaryOf }: DescribeJobDeps): DescribeJob {
  return (job, { origin, identity }) => {
    const more = { eta: etaOf(job), waitsBecause: whyWaiting(job), inputsSummary: summaryOf(job) };
    const described = toBridgeJob(job, { ...contextOf(job, origin), ...more });
    const { client_id: kept } = described;
    return { ...described, client_id: kept === null ? null : unscopeClientId(identity, kept) };
  };
}
