import { Router } from 'express';
import type { Request } from 'express';

import { BridgeError } from '../../errors.ts';
import type { Job } from '../../jobs/job.ts';
import type { JobLedger } from '../../jobs/job-ledger.ts';
import { toV2Job } from '../../jobs/v2-view.ts';
import type { V2Context } from '../../jobs/v2-view.ts';
import type { RetryJob } from '../../scheduling/submit/retry-job.ts';
import type { PublishedWorkflow } from '../../workflows/catalog/published-workflow.ts';
import type { WorkflowCatalog } from '../../workflows/catalog/workflow-catalog.ts';
import { describeInputs } from '../answers/describe-inputs.ts';
import type { FoundFile } from '../answers/describe-inputs.ts';
import { requireGraphs } from '../requests/may-run-graphs.ts';
import type { GraphGuard } from '../requests/may-run-graphs.ts';
import { originOf } from '../requests/origin-of.ts';
import { readCaller } from '../requests/read-caller.ts';
import { requireJob } from '../requests/require-job.ts';
import { isVisible } from '../requests/visible-workflows.ts';

export interface JobInputsDeps {
  ledger: Pick<JobLedger, 'get'>;
  workflows: Pick<WorkflowCatalog, 'get' | 'refreshSoon'>;
  retryJob: RetryJob;
  graphs: GraphGuard;
  /** The asset, or the result, of that id that this caller may read. */
  findFile(request: Request, id: string): Promise<FoundFile | undefined>;
  contentTypeOf(fileName: string): string | undefined;
  contextOf(job: Job, origin: string): V2Context;
  isOperator(request: Request): boolean;
  basePath: string;
}

/** What a job was run with, and running it once more. */
export function createJobInputRoutes(deps: JobInputsDeps): Router {
  const router = Router();

  /** As it is published now, if the caller may see it. */
  async function findWorkflow(request: Request, { workflow }: Job): Promise<PublishedWorkflow | undefined> {
    await deps.workflows.refreshSoon();
    const found = deps.workflows.get(workflow);
    return found?.alias === workflow && isVisible(request, workflow) ? found : undefined;
  }

  router.get('/api/bridge/jobs/:id/inputs', async (request, response) => {
    const job = await requireJob(deps.ledger, request);
    const described = await describeInputs(job, {
      workflow: await findWorkflow(request, job),
      findAsset: (id) => deps.findFile(request, id),
      contentTypeOf: deps.contentTypeOf,
      urlOf: (id) => `${deps.basePath}/api/v2/assets/${id}/content`,
    });
    response.json(described);
  });

  router.post('/api/bridge/jobs/:id/retry', async (request, response) => {
    const job = await requireJob(deps.ledger, request);
    await requireRunnable(request, job);
    const made = await deps.retryJob(job, readCaller(request, deps.isOperator));
    const described = toV2Job(made, deps.contextOf(made, originOf(request)));
    response.status(201).location(described.urls.self).json(described);
  });

  /** What a caller may run may have changed since: what is not published any more is a graph like any other. */
  async function requireRunnable(request: Request, job: Job): Promise<void> {
    if ((await findWorkflow(request, job)) !== undefined || deps.graphs.mayRunGraphs(request)) return;
    if (job.workflow.startsWith('graph:')) return requireGraphs(deps.graphs, request);
    throw new BridgeError('conflict', 'the workflow of this job is not published any more');
  }

  return router;
}
