import { Router } from 'express';

import type { JobLedger } from '../../jobs/job-ledger.ts';
import type { JobStreams } from '../streams/job-streams.ts';
import { requireJob } from '../requests/require-job.ts';

/** `GET /api/v2/jobs/{id}/events`: exactly the official stream, without numbers and without a way to go on behind one. */
export function createV2EventRoutes({ ledger, streams }: { ledger: JobLedger; streams: JobStreams }): Router {
  const router = Router();
  router.get('/api/v2/jobs/:id/events', async (request, response) => {
    streams.openOfficial(request, response, await requireJob(ledger, request));
  });
  return router;
}
