import { Router } from 'express';
import type { Request } from 'express';

import { BridgeError } from '../../errors.ts';
import { describeJob, connectedFrame } from '../../jobs/compat-view.ts';
import type { JobLedger } from '../../jobs/job-ledger.ts';
import type { Scheduler } from '../../scheduling/scheduler.ts';
import type { SubmitJob } from '../../scheduling/submit/submit-job.ts';
import { reachPoint } from '../../lib/crash-point.ts';
import { requireClientId } from '../requests/client-id.ts';
import { readJsonObject } from '../requests/read-json.ts';
import type { WorkflowCatalog } from '../../workflows/catalog/workflow-catalog.ts';
import { requireVisible } from '../requests/visible-workflows.ts';
import { readCaller } from '../requests/read-caller.ts';

export interface JobRoutesDeps {
  submitJob: SubmitJob;
  workflows: Pick<WorkflowCatalog, 'get' | 'list'>;
  ledger: JobLedger;
  scheduler: Scheduler;
  /** True while a WebSocket of that client is open: such a client is known even before its first job. */
  isConnected(clientId: string): boolean;
  generationCount(): Promise<number>;
  /** Whether the caller has shown that it is an operator. */
  isOperator(request: Request): boolean;
}

/** `POST /generate-based-workflow`, `/interrupt`; `GET /execution-info`, `/generation-count`. */
export function createJobRoutes(deps: JobRoutesDeps, { maxJsonBytes }: { maxJsonBytes: number }): Router {
  const { submitJob, workflows, ledger, scheduler, isConnected, generationCount } = deps;
  const router = Router();

  router.post('/generate-based-workflow', async (request, response) => {
    const clientId = requireClientId(request);
    const { workflow, ...values } = await readJsonObject(request, maxJsonBytes);
    if (typeof workflow !== 'string' || workflow === '') {
      throw new BridgeError('bad_request', 'workflow is missing in the body: name one of GET /workflow-list');
    }
    requireVisible(request, workflows, workflow, 'unknown_workflow');
    const job = await submitJob({
      clientId: clientId.kept,
      shownClientId: clientId.told,
      ...readCaller(request, deps.isOperator),
      workflow,
      values,
    });
    response.json({ detail: `queued / ${Math.max(1, scheduler.queueLength())}`, jobId: job.id });
    reachPoint('job-acknowledged');
  });

  router.post('/interrupt', async (request, response) => {
    const clientId = requireClientId(request);
    const job = await ledger.latestOf(clientId.kept);
    if (job === undefined) {
      throw new BridgeError('unknown_client', `there is no job of clientId ${clientId.told}`);
    }
    await scheduler.cancel(job.id, 'interrupted by its client');
    response.json({ detail: `interrupted that clientId will be ignored. / ${clientId.told}` });
  });

  router.get('/execution-info', async (request, response) => {
    const clientId = requireClientId(request);
    const job = await ledger.latestOf(clientId.kept);
    if (job !== undefined) {
      response.json(describeJob(job, ledger.progressOf(job.id)));
      return;
    }
    if (!isConnected(clientId.kept))
      throw new BridgeError('unknown_client', `there is no job of clientId ${clientId.told}`);
    response.json(connectedFrame);
  });

  router.get('/generation-count', async (_request, response) => {
    response.json(await generationCount());
  });

  return router;
}
