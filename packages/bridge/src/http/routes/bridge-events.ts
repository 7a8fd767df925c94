import { Router } from 'express';
import type { Request } from 'express';

import type { JobLedger } from '../../jobs/job-ledger.ts';
import type { JobStreams } from '../streams/job-streams.ts';
import { requireJob } from '../requests/require-job.ts';

/** `GET /api/bridge/jobs/{id}/events`: the official events with numbers, for readers that go on where they were. */
export function createBridgeEventRoutes({
  ledger,
  streams,
}: {
  ledger: JobLedger;
  streams: JobStreams;
}): Router {
  const router = Router();
  router.get('/api/bridge/jobs/:id/events', async (request, response) => {
    const job = await requireJob(ledger, request);
    streams.openNumbered(request, response, job, readLastEventId(request));
  });
  return router;
}

/** The number of the last event that the caller has: a browser's `EventSource` sends it by itself. 0: it has none. */
function readLastEventId(request: Request): number {
  const value = request.get('Last-Event-ID') ?? request.query['after'];
  return typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : 0;
}
