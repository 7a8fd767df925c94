import { Router } from 'express';
import type { Request } from 'express';

import { BridgeError } from '../../errors.ts';
import type { Job } from '../../jobs/job.ts';
import type { JobFeed } from '../../jobs/job-feed.ts';
import type { JobLedger } from '../../jobs/job-ledger.ts';
import { toV2Job } from '../../jobs/v2-view.ts';
import type { V2Context } from '../../jobs/v2-view.ts';
import type { Scheduler } from '../../scheduling/scheduler.ts';
import { originOf } from '../origin-of.ts';
import { requireJob } from '../require-job.ts';
import type { EventStream } from '../sse.ts';
import { streamJob } from '../stream-job.ts';

export interface V2JobsDeps {
  ledger: JobLedger;
  scheduler: Scheduler;
  feed: JobFeed;
  contextOf(job: Job, origin: string): V2Context;
  /** Aborted when the bridge stops: streams end then, and their readers come back. */
  closing: AbortSignal;
}

const maxStreams = 5_000;

/** `/api/v2/jobs/{id}`: the official job object, its events and its cancel. Exactly the contract, and event ids beside it. */
export function createV2JobRoutes(deps: V2JobsDeps): Router {
  const { ledger, scheduler, feed, contextOf, closing } = deps;
  const router = Router();
  const streams = new Set<EventStream>();
  closing.addEventListener('abort', () => streams.forEach((stream) => stream.end()), { once: true });

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

  router.get('/api/v2/jobs/:id/events', async (request, response) => {
    const job = await requireJob(ledger, request);
    if (streams.size >= maxStreams)
      throw new BridgeError('limited', 'too many event streams are open: poll the job instead');
    const origin = originOf(request);
    const stream = streamJob(
      {
        feed,
        positionOf: ({ id }) => scheduler.positionOf(id),
        contextOf: (current) => contextOf(current, origin),
      },
      { job, after: readLastEventId(request) },
      response,
      () => streams.delete(stream),
    );
    streams.add(stream);
  });

  return router;
}

function readLastEventId(request: Request): number {
  const value = request.get('Last-Event-ID') ?? request.query['after'];
  const after = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : 0;
  return after;
}
