import { Router } from 'express';
import type { Request, Response } from 'express';

import { BridgeError } from '../../errors.ts';
import { isTerminal } from '../../jobs/job.ts';
import type { Job } from '../../jobs/job.ts';
import type { FeedEvent, JobFeed } from '../../jobs/job-feed.ts';
import type { JobLedger } from '../../jobs/job-ledger.ts';
import { publicStatus, toV2Job, toV2Output } from '../../jobs/v2-view.ts';
import type { V2Context } from '../../jobs/v2-view.ts';
import type { Scheduler } from '../../scheduling/scheduler.ts';
import { requireJob } from '../require-job.ts';
import { openEventStream } from '../sse.ts';

export interface V2JobsDeps {
  ledger: JobLedger;
  scheduler: Scheduler;
  feed: JobFeed;
  contextOf(job: Job): V2Context;
}

/** Progress and previews are told to a stream at most this often. */
const minGapMs = 100;
const positionMs = 1_000;
const maxStreams = 5_000;

/** `/api/v2/jobs/{id}`: the official job object, its events and its cancel. Exactly the contract, and event ids beside it. */
export function createV2JobRoutes(deps: V2JobsDeps): Router {
  const { ledger, scheduler, feed, contextOf } = deps;
  const router = Router();
  let streams = 0;

  router.get('/api/v2/jobs/:id', async (request, response) => {
    const job = await requireJob(ledger, request);
    response.json(toV2Job(job, contextOf(job)));
  });

  router.post('/api/v2/jobs/:id/cancel', async (request, response) => {
    const job = await requireJob(ledger, request);
    const changed = await scheduler.cancel(job.id, 'canceled by its owner');
    const current = changed ?? (await ledger.get(job.id)) ?? job;
    response.json(toV2Job(current, contextOf(current)));
  });

  router.get('/api/v2/jobs/:id/events', async (request, response) => {
    const job = await requireJob(ledger, request);
    if (streams >= maxStreams)
      throw new BridgeError('limited', 'too many event streams are open: poll the job instead');
    streams += 1;
    follow(job, readLastEventId(request), response);
  });

  function follow(job: Job, after: number, response: Response): void {
    const stream = openEventStream(response, () => {
      streams -= 1;
      clearInterval(positions);
      following?.stop();
    });
    let lastSnapshotAt = 0;

    function tell(event: FeedEvent): void {
      if (event.type === 'status') {
        sendOutputs(event.job);
        const { queue_position } = toV2Job(event.job, contextOf(event.job));
        stream.send({
          id: event.seq,
          event: 'status',
          data: { status: publicStatus(event.job), queue_position },
        });
        if (isTerminal(event.job.state.status)) stream.end();
        return;
      }
      const now = Date.now();
      if (!stream.keepsUp || now - lastSnapshotAt < minGapMs) return;
      lastSnapshotAt = now;
      if (event.type === 'progress') {
        const { progress } = toV2Job(event.job, { ...contextOf(event.job), progress: event.progress });
        stream.send({ id: event.seq, event: 'progress', data: progress });
      } else {
        const data = {
          node_id: event.node ?? '',
          content_type: event.contentType,
          data_base64: event.image.toString('base64'),
        };
        stream.send({ id: event.seq, event: 'preview', data });
      }
    }

    /** Without an id: a client that lost the connection before the status that follows gets them again with it. */
    function sendOutputs(ended: Job): void {
      if (ended.state.status !== 'succeeded') return;
      const { basePath } = contextOf(ended);
      const { expires_at: expiresAt } = toV2Job(ended, contextOf(ended));
      for (const result of ended.state.results) {
        stream.send({ event: 'output', data: toV2Output(ended, result, { basePath, expiresAt }) });
      }
    }

    /** Its place in the queue changes without anything happening to the job itself. */
    let position: number | null = null;
    const positions = setInterval(() => {
      const place = scheduler.positionOf(job.id);
      if (place === undefined || place === position) return;
      position = place;
      stream.send({ event: 'status', data: { status: 'queued', queue_position: place } });
    }, positionMs).unref();
    const following = feed.follow(job, after, tell);
    if (after === 0) following.missed.splice(0, following.missed.length, ...newestOf(following.missed));
    for (const event of following.missed) {
      lastSnapshotAt = 0;
      tell(event);
    }
    if (isTerminal(job.state.status)) stream.end();
  }

  return router;
}

/** A new listener wants to know how things are, not how they came to be: the last of each kind. */
function newestOf(events: readonly FeedEvent[]): FeedEvent[] {
  const newest = new Map(events.map((event) => [event.type, event]));
  return [...newest.values()].toSorted((a, b) => a.seq - b.seq);
}

function readLastEventId(request: Request): number {
  const value = request.get('Last-Event-ID') ?? request.query['after'];
  const after = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : 0;
  return after;
}
