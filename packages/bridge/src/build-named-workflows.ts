import type { Request, RequestHandler, Router } from 'express';

import type { BridgeConfig } from './config/bridge-config.ts';
import type { Events } from './events.ts';
import type { Fleet } from './backends/fleet.ts';
import { defaultImageLimits } from './files/check-file.ts';
import type { FileStore } from './files/file-store.ts';
import { makeThumbnail } from './files/make-thumbnail.ts';
import type { Idempotency } from './http/requests/idempotency.ts';
import { createJobGroupRoutes } from './http/routes/job-groups.ts';
import { createNamedWorkflowRoutes } from './http/routes/named-workflows.ts';
import { createPublishRoutes } from './http/routes/publish-workflows.ts';
import { createWorkflowJobRoutes } from './http/routes/workflow-jobs.ts';
import { sendFile } from './http/answers/send-file.ts';
import { createSubmitOnce } from './http/requests/submit-once.ts';
import type { WebhookRegistry } from './http/requests/with-webhook.ts';
import { createJobWaits } from './http/requests/wait-for-job.ts';
import type { JobLedger } from './jobs/job-ledger.ts';
import type { JobStore } from './jobs/job-store.ts';
import type { Job } from './jobs/job.ts';
import type { V2Context } from './jobs/v2-view.ts';
import type { Logger } from './logging.ts';
import type { BindRequest } from './scheduling/submit/bind-request.ts';
import type { ClassifyJob } from './scheduling/classify-job.ts';
import {
  createFindWorkflowObstacles,
  createJudgeWorkflow,
} from './scheduling/submit/find-workflow-obstacles.ts';
import type { FindWorkflowObstacles } from './scheduling/submit/find-workflow-obstacles.ts';
import { createJobGroups } from './scheduling/submit/job-groups.ts';
import type { JobIntake } from './scheduling/submit/job-intake.ts';
import type { BackendJudge } from './scheduling/judge-backend.ts';
import type { Scheduler } from './scheduling/scheduler.ts';
import { createSubmitNamed } from './scheduling/submit/submit-named.ts';
import { createWorkflowPublisher } from './workflows/catalog/publish-workflow.ts';
import type { PublicationParts } from './workflows/catalog/publication-parts.ts';
import type { WorkflowCatalog } from './workflows/catalog/workflow-catalog.ts';
import { convertOrRefuse } from './workflows/convert-ui/convert-or-refuse.ts';

export interface BuildNamedWorkflowsDeps {
  store: JobStore;
  ledger: JobLedger;
  events: Events;
  files: FileStore;
  workflows: WorkflowCatalog;
  publications: PublicationParts;
  fleet: Fleet;
  scheduler: Scheduler;
  classify: ClassifyJob;
  judge: BackendJudge;
  intake: JobIntake;
  bind: BindRequest;
  idempotency: Idempotency;
  webhooks: WebhookRegistry;
  isOperator(request: Request): boolean;
  requireAuthor: RequestHandler;
  requireGood(request: Request): void;
  contextOf(job: Job, origin: string): V2Context;
  closing: AbortSignal;
  log: Logger;
  now: () => number;
}

/** A part of the composition root: published workflows by the names of their inputs, and the groups of jobs that they make. */
export function buildNamedWorkflows(config: BridgeConfig, deps: BuildNamedWorkflowsDeps): Router[] {
  const { store, ledger, files, workflows, fleet, intake, bind, contextOf, scheduler } = deps;
  const { basePath } = config.server;
  const cancel: Scheduler['cancel'] = (id, reason) => scheduler.cancel(id, reason);
  const groups = createJobGroups({ ledger, records: store, cancel, log: deps.log, now: deps.now });
  const submit = createSubmitOnce({
    submitNamed: createSubmitNamed({ intake, workflows, bind, groups, cancel }),
    groups,
    ledger,
    idempotency: deps.idempotency,
    webhooks: deps.webhooks,
    isOperator: deps.isOperator,
  });
  const waits = createJobWaits({
    events: deps.events,
    isUnfinished: (id) => ledger.isUnfinished(id),
    closing: deps.closing,
  });
  const findObstacles = createFindWorkflowObstacles({
    ...{ ...deps, fleet, bind },
    seats: () => scheduler.seats(),
  });
  return [
    createNamedWorkflowRoutes({ workflows, fleet, findObstacles, basePath }),
    buildPublishing(config, deps, findObstacles),
    createWorkflowJobRoutes(
      {
        submit,
        waits,
        ledger,
        cancel,
        sendResult: (job, { index, contentType, fileName, hash }, request, response) =>
          sendFile(
            files,
            { key: `results/${job.id}/${index}`, contentType, fileName, hash },
            request,
            response,
          ),
        contextOf,
        requireGood: deps.requireGood,
        basePath,
      },
      { maxJsonBytes: config.client.jsonMaxBytes },
    ),
    createJobGroupRoutes({ groups, contextOf, basePath }),
  ];
}

function buildPublishing(
  config: BridgeConfig,
  deps: BuildNamedWorkflowsDeps,
  findObstacles: FindWorkflowObstacles,
): Router {
  const { workflows: catalog, publications, fleet, events, now, requireAuthor } = deps;
  const { findDefinition } = fleet;
  const limits = { ...defaultImageLimits, maxPixels: config.files.maxPixels };
  return createPublishRoutes(
    {
      publisher: createWorkflowPublisher({ ...publications, catalog, events, now }),
      findObstacles,
      judgeWorkflow: createJudgeWorkflow(deps),
      findDefinition,
      convert: (workflow) => convertOrRefuse(workflow, { findDefinition }),
      makeThumbnail: (content) => makeThumbnail(content, limits),
      requireAuthor,
      basePath: config.server.basePath,
    },
    { maxJsonBytes: config.client.jsonMaxBytes },
  );
}
