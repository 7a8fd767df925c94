import { priorityRequestSchema } from '@comfy-bridge/protocol';
import { Router } from 'express';
import type { Request, RequestHandler } from 'express';

import { BridgeError } from '../../errors.ts';
import type { FileStore } from '../../files/file-store.ts';
import type { Job } from '../../jobs/job.ts';
import type { JobLedger } from '../../jobs/job-ledger.ts';
import type { JobStore } from '../../jobs/job-store.ts';
import { outputsNow } from '../../jobs/v2-view.ts';
import { optionalClientId } from '../requests/client-id.ts';
import { readJobFilter, readLimit, wantsOwn } from '../requests/read-job-filter.ts';
import type { ForgetJob } from '../../scheduling/upkeep/forget-job.ts';
import { identityOf } from '../requests/identity.ts';
import { originOf } from '../requests/origin-of.ts';
import { readBody } from '../requests/read-body.ts';
import { requireAccount } from '../requests/require-account.ts';
import { requireJob } from '../requests/require-job.ts';
import type { DescribeJob } from '../answers/describe-job.ts';
import { sendFile } from '../answers/send-file.ts';

export interface BridgeJobsDeps {
  ledger: JobLedger;
  store: JobStore;
  files: FileStore;
  describeJob: DescribeJob;
  forgetJob: ForgetJob;
  requireOperator: RequestHandler;
}

/** Ours beside the official contract: `/api/bridge/jobs` (one's own, or all for operators), one job with its attempts, its results. */
export function createBridgeJobRoutes({
  ledger,
  store,
  files,
  describeJob,
  forgetJob,
  requireOperator,
}: BridgeJobsDeps): Router {
  const router = Router();

  const describe = (job: Job, request: Request) =>
    describeJob(job, { origin: originOf(request), identity: identityOf(request) });

  /** A client names itself by its key, its `clientId` or by a secret of its own; only operators see everybody's. */
  const guardList: RequestHandler = (request, response, next) => {
    // Whoever may look for a part of a name can guess names.
    if (request.query['q'] !== undefined) return requireOperator(request, response, next);
    if (identityOf(request) !== undefined) return next();
    if (wantsOwn(request)) {
      requireAccount(request);
      return next();
    }
    return optionalClientId(request) === undefined ? requireOperator(request, response, next) : next();
  };

  router.get('/api/bridge/jobs', guardList, async (request, response) => {
    const limit = readLimit(request);
    const jobs = await store.list({ ...(await readJobFilter(request, ledger)), limit: limit + 1 });
    const page = jobs.slice(0, limit);
    response.json({
      jobs: page.map((job) => describe(job, request)),
      next: jobs.length > limit ? (page.at(-1)?.id ?? null) : null,
    });
  });

  router.get('/api/bridge/jobs/:id', async (request, response) => {
    const job = await requireJob(ledger, request);
    response.json(describe(job, request));
  });

  router.delete('/api/bridge/jobs/:id', async (request, response) => {
    await forgetJob(await requireJob(ledger, request));
    response.status(204).end();
  });

  router.post('/api/bridge/jobs/:id/priority', requireOperator, async (request, response) => {
    const { id } = await requireJob(ledger, request);
    const { priority } = await readBody(request, priorityRequestSchema, '{"priority": 2}, from -100 to 100');
    const job = await ledger.apply(id, { type: 'reprioritized', priority });
    if (job === undefined) throw new BridgeError('conflict', 'this job has ended');
    response.json(describe(job, request));
  });

  router.get('/api/bridge/jobs/:id/results/:index', async (request, response) => {
    const job = await requireJob(ledger, request);
    const index = Number(request.params.index);
    const result = outputsNow(job, ledger.outputsOf(job.id)).find((candidate) => candidate.index === index);
    if (result === undefined) throw new BridgeError('not_found', 'there is no such result (any more)');
    const { contentType, fileName, hash } = result;
    const key = `results/${job.id}/${index}` as const;
    await sendFile(files, { key, contentType, fileName, hash }, request, response);
  });

  return router;
}
