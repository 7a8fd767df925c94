import { namedSubmitSchema } from '@comfy-bridge/protocol';
import { Router } from 'express';
import type { Request, Response } from 'express';

import { isTerminal } from '../../jobs/job.ts';
import type { Job, JobId } from '../../jobs/job.ts';
import type { JobLedger } from '../../jobs/job-ledger.ts';
import { toV2Job } from '../../jobs/v2-view.ts';
import type { V2Context } from '../../jobs/v2-view.ts';
import { mapInChunks } from '../../lib/map-in-chunks.ts';
import { answerWithBytes } from '../answers/answer-waiting.ts';
import type { SendResult } from '../answers/answer-waiting.ts';
import { describeGroup } from '../answers/describe-group.ts';
import { originOf } from '../requests/origin-of.ts';
import { readBody } from '../requests/read-body.ts';
import { readLeave, readWait } from '../requests/read-preferences.ts';
import type { Submitted, SubmitOnce } from '../requests/submit-once.ts';
import type { JobWaits } from '../requests/wait-for-job.ts';

export interface WorkflowJobsDeps {
  submit: SubmitOnce;
  waits: JobWaits;
  ledger: Pick<JobLedger, 'get'>;
  cancel(id: JobId, reason: string): Promise<unknown>;
  sendResult: SendResult;
  contextOf(job: Job, origin: string): V2Context;
  /** Throws when what the caller has shown was revoked, or has expired, while it waited. */
  requireGood(request: Request): void;
  basePath: string;
}

const example = '{"inputs": {"prompt": "a cat"}}';
const readsAtOnce = 100;

/**
 * `POST /api/bridge/workflows/{alias}/jobs`: runs a published workflow by the names of its inputs; with lists, once for each
 * value. With `Prefer: wait=N` the answer comes when the job has ended, and is its result itself to who asks for that.
 */
export function createWorkflowJobRoutes(
  deps: WorkflowJobsDeps,
  { maxJsonBytes }: { maxJsonBytes: number },
): Router {
  const router = Router();

  router.post('/api/bridge/workflows/:alias/jobs', async (request, response) => {
    const [seconds, leave] = [readWait(request), readLeave(request)];
    const body = await readBody(request, namedSubmitSchema, example, maxJsonBytes);
    const submitted = await deps.submit(request, request.params.alias, body);
    const waited = seconds === undefined ? undefined : await wait(submitted.jobs, seconds, response);
    if (waited === 'left') {
      if (leave === 'cancel' && !submitted.replayed) await cancel(submitted.jobs);
      return;
    }
    if (waited === undefined) return answer(request, response, submitted, submitted.replayed ? 200 : 201);
    response.setHeader('Preference-Applied', `wait=${seconds}`);
    deps.requireGood(request);
    const jobs = await lookAgain(submitted.jobs);
    await answerWaiting(request, response, { ...submitted, jobs });
  });

  /** How it ended; undefined when too many wait already, so that nobody waits. */
  async function wait(jobs: Submitted['jobs'], seconds: number, response: Response) {
    const left = new AbortController();
    response.once('close', () => left.abort());
    if (response.destroyed) return 'left';
    const ids = jobs.flatMap((job) => job?.id ?? []);
    const outcome = await deps.waits.wait(ids, { ms: seconds * 1000, signal: left.signal });
    // What was there to be sent when it left is sent to nobody.
    return response.destroyed ? 'left' : outcome;
  }

  async function cancel(jobs: Submitted['jobs']): Promise<void> {
    for (const job of jobs) if (job !== undefined) await deps.cancel(job.id, 'its caller has left');
  }

  function lookAgain(jobs: Submitted['jobs']): Promise<(Job | undefined)[]> {
    return mapInChunks(jobs, readsAtOnce, async (job) =>
      job === undefined ? undefined : deps.ledger.get(job.id),
    );
  }

  async function answerWaiting(request: Request, response: Response, submitted: Submitted): Promise<void> {
    const { jobs, group, replayed } = submitted;
    if (replayed) response.setHeader('Idempotency-Replayed', 'true');
    const allEnded = jobs.every((job) => job === undefined || isTerminal(job.state.status));
    const [job] = jobs;
    if (group === undefined && allEnded && job !== undefined) {
      if (await answerWithBytes(job, deps.sendResult, request, response)) return;
    }
    answer(request, response, submitted, allEnded ? 200 : 202);
  }

  function answer(
    request: Request,
    response: Response,
    { jobs, group, replayed }: Submitted,
    status: 200 | 201 | 202,
  ): void {
    const origin = originOf(request);
    const contextOf = (job: Job) => deps.contextOf(job, origin);
    if (replayed) response.setHeader('Idempotency-Replayed', 'true');
    response.status(status);
    if (group !== undefined) {
      const described = describeGroup(group, jobs, { basePath: deps.basePath, contextOf });
      response.location(described.urls.self).json(described);
      return;
    }
    const [job] = jobs;
    if (job === undefined) throw new Error('what was submitted is a job or a group');
    const described = toV2Job(job, contextOf(job));
    response.location(described.urls.self).json(described);
  }

  return router;
}
