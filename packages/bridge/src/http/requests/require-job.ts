import type { Request } from 'express';

import { BridgeError } from '../../errors.ts';
import type { Job, JobId } from '../../jobs/job.ts';
import type { JobLedger } from '../../jobs/job-ledger.ts';
import { mayTouch } from './identity.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The job that `:id` names. Its id is a random UUID: whoever knows it was told it; with keys, only its own key is. */
export async function requireJob(ledger: Pick<JobLedger, 'get'>, request: Request): Promise<Job> {
  const { id } = request.params;
  const job = isJobId(id) ? await ledger.get(id) : undefined;
  if (job === undefined || !mayTouch(request, job.account))
    throw new BridgeError('not_found', 'there is no such job, or it has expired');
  return job;
}

function isJobId(id: unknown): id is JobId {
  return typeof id === 'string' && uuid.test(id);
}
