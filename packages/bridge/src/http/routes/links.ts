import { newLinkSchema } from '@comfy-bridge/protocol';
import type { CreatedLink, SharedResults } from '@comfy-bridge/protocol';
import { Router } from 'express';
import type { Request, Response } from 'express';

import type { LinkTarget, ResultLinks } from '../../access/result-links.ts';
import { BridgeError } from '../../errors.ts';
import type { FileStore } from '../../files/file-store.ts';
import type { JobLedger } from '../../jobs/job-ledger.ts';
import { parseJobId } from '../../jobs/job.ts';
import type { Job, JobResult } from '../../jobs/job.ts';
import { outputsNow, publicStatus } from '../../jobs/v2-view.ts';
import { toTitle } from '../answers/describe-workflow.ts';
import { sendArchive } from '../answers/send-archive.ts';
import { sendFile } from '../answers/send-file.ts';
import { originOf } from '../requests/origin-of.ts';
import { readBody } from '../requests/read-body.ts';
import { requireJob } from '../requests/require-job.ts';

export interface LinkRoutesDeps {
  ledger: Pick<JobLedger, 'get' | 'outputsOf'>;
  files: Pick<FileStore, 'stat' | 'open'>;
  links: ResultLinks;
  /** Whether the key of an account was revoked: what it gave away ends with it. */
  isRevoked(account: string): boolean;
  now: () => number;
}

const path = '/api/bridge/links/:token';

/** Links to the results of a job, for whoever has them; and all results of a job in one file. */
export function createLinkRoutes(
  { ledger, files, links, isRevoked, now }: LinkRoutesDeps,
  { basePath, resultTtlMs }: { basePath: string; resultTtlMs: number },
): Router {
  const router = Router();

  router.post('/api/bridge/jobs/:id/links', async (request, response) => {
    const job = await requireJob(ledger, request);
    const { expires_in: seconds } = hasBody(request)
      ? await readBody(request, newLinkSchema, '{"expires_in": 3600}')
      : newLinkSchema.parse({});
    const resultsEnd = (job.finishedAt ?? job.createdAt) + resultTtlMs;
    if (job.state.status === 'expired' || job.deliveredAt !== null || resultsEnd <= now())
      throw new BridgeError('conflict', 'the results of this job are gone');
    // A link knows whole seconds.
    const expiresAt = Math.floor(Math.min(now() + seconds * 1000, resultsEnd) / 1000) * 1000;
    const token = links.issue({ jobId: job.id, expiresAt });
    const base = `${originOf(request)}${basePath}`;
    const link: CreatedLink = {
      token,
      url: `${base}/api/bridge/links/${token}`,
      page: `${base}/#/shared/${token}`,
      expires_at: toTime(expiresAt),
    };
    response.status(201).json(link);
  });

  router.get('/api/bridge/jobs/:id/archive', async (request, response) => {
    await answerArchive(await requireJob(ledger, request), request, response);
  });

  router.get(path, async (request, response) => {
    const { job, target } = await open(request);
    const shared: SharedResults = {
      workflow: job.workflow,
      title: titleOf(job),
      status: publicStatus(job),
      created_at: toTime(job.createdAt),
      completed_at: job.finishedAt === null ? null : toTime(job.finishedAt),
      expires_at: toTime(target.expiresAt),
      outputs: resultsOf(job).map(({ index, fileName, type, contentType, size }) => ({
        ...{ index, name: fileName, type, content_type: contentType, size_bytes: size },
        url: `${basePath}/api/bridge/links/${request.params.token}/results/${index}`,
      })),
    };
    response.json(shared);
  });

  router.get(`${path}/results/:index`, async (request, response) => {
    const { job } = await open(request);
    const result = resultsOf(job).find(({ index }) => String(index) === request.params['index']);
    if (result === undefined) throw new BridgeError('not_found', 'there is no such result (any more)');
    const { contentType, fileName, hash, index } = result;
    const isShown = request.query['download'] !== '1' && isShownByBrowsers(contentType);
    await sendFile(
      files,
      { key: `results/${job.id}/${index}`, contentType, fileName, hash, isShown },
      request,
      response,
    );
  });

  router.get(`${path}/archive`, async (request, response) => {
    await answerArchive((await open(request)).job, request, response);
  });

  const resultsOf = (job: Job): readonly JobResult[] => outputsNow(job, ledger.outputsOf(job.id));

  /** The job that a link leads to. What is wrong with one that leads nowhere is never told. */
  async function open(request: Request): Promise<{ job: Job; target: LinkTarget }> {
    const target = links.open(String(request.params['token']));
    const job = target && (await ledger.get(parseJobId(target.jobId)));
    const isGone = job === undefined || job.state.status === 'expired' || job.deliveredAt !== null;
    if (target === undefined || isGone || isRevoked(job.account ?? ''))
      throw new BridgeError('not_found', 'there is no such link, or it is over');
    return { job, target };
  }

  async function answerArchive(job: Job, request: Request, response: Response): Promise<void> {
    await sendArchive(
      files,
      {
        fileName: `${titleOf(job)} ${job.id.slice(0, 8)}.zip`,
        files: resultsOf(job).map(({ index, fileName }) => ({
          key: `results/${job.id}/${index}`,
          fileName,
        })),
        madeAt: job.finishedAt ?? now(),
      },
      request,
      response,
    );
  }

  return router;
}

function titleOf({ workflow }: Job): string {
  return workflow.startsWith('graph:') ? 'Workflow' : toTitle(workflow);
}

function hasBody({ headers }: Request): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Pictures, films and sounds hold no script; what else there is, is saved and not shown. */
function isShownByBrowsers(contentType: string): boolean {
  return /^(image\/(png|jpeg|webp|gif|bmp|avif)|(video|audio)\/[\w.-]+)$/.test(contentType);
}

function toTime(ms: number): string {
  return new Date(ms).toISOString();
}
