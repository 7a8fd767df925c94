import { jobStatusSchema, priorityRequestSchema } from '@comfy-bridge/protocol';
import { Router } from 'express';
import type { NextFunction, Request, RequestHandler } from 'express';

import { BridgeError } from '../../errors.ts';
import type { FileStore } from '../../files/file-store.ts';
import { parseJobId } from '../../jobs/job.ts';
import type { Job } from '../../jobs/job.ts';
import type { JobLedger } from '../../jobs/job-ledger.ts';
import type { JobFilter, JobStore } from '../../jobs/job-store.ts';
import { outputsNow, toBridgeJob } from '../../jobs/v2-view.ts';
import type { JobEta, V2Context } from '../../jobs/v2-view.ts';
import { optionalClientId } from '../requests/client-id.ts';
import type { ForgetJob } from '../../scheduling/upkeep/forget-job.ts';
import { identityOf, mayAs, mayTouch, unscopeClientId } from '../requests/identity.ts';
import { originOf } from '../requests/origin-of.ts';
import { accountOf, hasAccount } from '../requests/owner-of.ts';
import { readBody } from '../requests/read-body.ts';
import { requireJob } from '../requests/require-job.ts';
import { sendFile } from '../answers/send-file.ts';

export interface BridgeJobsDeps {
  ledger: JobLedger;
  store: JobStore;
  files: FileStore;
  contextOf(job: Job, origin: string): V2Context;
  etaOf(job: Job): JobEta | undefined;
  whyWaiting(job: Job): string | null;
  forgetJob: ForgetJob;
  requireOperator: RequestHandler;
}

const defaultLimit = 50;
const maxLimit = 200;

/** Ours beside the official contract: `/api/bridge/jobs` (one's own, or all for operators), one job with its attempts, its results. */
export function createBridgeJobRoutes({
  ledger,
  store,
  files,
  contextOf,
  etaOf,
  whyWaiting,
  forgetJob,
  requireOperator,
}: BridgeJobsDeps): Router {
  const router = Router();

  function describe(job: Job, request: Request) {
    const more = { eta: etaOf(job), waitsBecause: whyWaiting(job) };
    const described = toBridgeJob(job, { ...contextOf(job, originOf(request)), ...more });
    const { client_id: kept } = described;
    return {
      ...described,
      client_id: kept === null ? null : unscopeClientId(identityOf(request), kept),
    };
  }

  /** A client names itself by its key, its `clientId` or by a secret of its own; only operators see everybody's. */
  const guardList: RequestHandler = (request, response, next) => {
    if (identityOf(request) !== undefined) return next();
    if (wantsOwn(request)) return requireAccount(request, next);
    return optionalClientId(request) === undefined ? requireOperator(request, response, next) : next();
  };

  router.get('/api/bridge/jobs', guardList, async (request, response) => {
    const limit = readLimit(request);
    const jobs = await store.list({ ...(await readFilter(request, ledger)), limit: limit + 1 });
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

function wantsOwn(request: Request): boolean {
  const { owner } = request.query;
  if (owner === undefined || owner === '') return false;
  if (owner === 'me') return true;
  throw new BridgeError('bad_request', 'owner can only be me');
}

/** Without a secret a caller is an address, which it may share with others. */
function requireAccount(request: Request, next: NextFunction): void {
  if (hasAccount(request)) return next();
  next(
    new BridgeError(
      'unauthorized',
      'to list your own jobs, send a secret of your own (Authorization: Bearer …, or X-API-Key) here and with every submit',
    ),
  );
}

function readLimit(request: Request): number {
  const { limit } = request.query;
  if (limit === undefined) return defaultLimit;
  const value = Number(limit);
  if (!Number.isInteger(value) || value < 1 || value > maxLimit) {
    throw new BridgeError('bad_request', `limit is a whole number from 1 to ${maxLimit}`);
  }
  return value;
}

async function readFilter(request: Request, ledger: JobLedger): Promise<Omit<JobFilter, 'limit'>> {
  const { status, workflow, after } = request.query;
  const clientId = optionalClientId(request);
  // With a key, its own alone, whatever it asks for.
  const account = wantsOwn(request) || mayAs(request, 'operator') === false ? accountOf(request) : undefined;
  const statuses =
    typeof status === 'string' && status !== '' ? status.split(',').map(readStatus) : undefined;
  const last = typeof after === 'string' && after !== '' ? await ledger.get(parseJobId(after)) : undefined;
  if (after !== undefined && (last === undefined || !mayTouch(request, last.account)))
    throw new BridgeError('bad_request', 'after is the `next` of a page before');
  return {
    ...(clientId !== undefined && { clientId: clientId.kept }),
    ...(account !== undefined && { account }),
    ...(statuses !== undefined && { statuses }),
    ...(typeof workflow === 'string' && workflow !== '' && { workflow }),
    ...(last !== undefined && { before: { createdAt: last.createdAt, id: last.id } }),
  };
}

function readStatus(value: string) {
  const parsed = jobStatusSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new BridgeError(
    'bad_request',
    `status is one or more of ${jobStatusSchema.options.join(', ')}, with commas`,
  );
}
