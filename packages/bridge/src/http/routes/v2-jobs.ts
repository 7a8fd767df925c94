import { Router } from 'express';

import type { Job } from '../../jobs/job.ts';
import type { JobLedger } from '../../jobs/job-ledger.ts';
import { toV2Job } from '../../jobs/v2-view.ts';
import type { V2Context } from '../../jobs/v2-view.ts';
import type { Scheduler } from '../../scheduling/scheduler.ts';
import { originOf } from '../requests/origin-of.ts';
import { requireJob } from '../requests/require-job.ts';

export interface V2JobsDeps {
  ledger: JobLedger;
  scheduler: Scheduler;
  contextOf(job: Job, origin: string): V2Context;
}

/** `/api/v2/jobs/{id}`: the official job object and its cancel. */
export function createV2JobRoutes(deps: V2JobsDeps): Router {
  const { ledger, scheduler, contextOf } = deps;
  const router = Router();

  router.get('/api/v2/jobs/:id', async (request, response) => {
    const job = await requireJob(ledger, request);
    response.json(toV2Job(job, contextOf(job, originOf(request))));
  });

  router.post('/api/v2/jobs/:id/cancel', async (request, response) => {
    const job = await requireJob(ledger, request);
    const changed = await scheduler.cancel(job.id, 'canceled by its owner');
    const current = changed ?? (await ledger.get(job.id)) ?? job;
    response.json(toV2Job(current, contextOf(current, originOf(request))));
  });

  return router;
}
