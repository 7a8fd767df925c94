import type { Router } from 'express';

import type { FleetParts } from './build-fleet.ts';
import type { SchedulingParts } from './build-scheduling.ts';
import type { BridgeConfig } from './config/bridge-config.ts';
import type { FilePolicy } from './files/collect-result.ts';
import type { FileStore } from './files/file-store.ts';
import { isOperator, requireOperator } from './http/require-operator.ts';
import { createBackendRoutes } from './http/routes/backends.ts';
import { createBridgeJobRoutes } from './http/routes/bridge-jobs.ts';
import { createFreeRoutes } from './http/routes/free.ts';
import { createHealthRoutes } from './http/routes/health.ts';
import { createJobRoutes } from './http/routes/jobs.ts';
import { createPlacementRoutes } from './http/routes/placement.ts';
import { createRequirementRoutes } from './http/routes/requirements.ts';
import { createResultRoutes } from './http/routes/results.ts';
import { createUploadRoutes } from './http/routes/uploads.ts';
import { createV2JobRoutes } from './http/routes/v2-jobs.ts';
import { createWorkflowRoutes } from './http/routes/workflows.ts';
import type { JobFeed } from './jobs/job-feed.ts';
import type { JobLedger } from './jobs/job-ledger.ts';
import type { JobStore } from './jobs/job-store.ts';
import type { Job } from './jobs/job.ts';
import type { V2Context } from './jobs/v2-view.ts';
import { createJobIntake } from './scheduling/job-intake.ts';
import { createSubmitJob } from './scheduling/submit-job.ts';
import type { WorkflowCatalog } from './workflows/workflow-catalog.ts';
import type { Gateway } from './ws/gateway.ts';

export interface BuildApiDeps {
  store: JobStore;
  ledger: JobLedger;
  feed: JobFeed;
  files: FileStore;
  policy: FilePolicy;
  workflows: WorkflowCatalog;
  fleetParts: FleetParts;
  schedulingParts: SchedulingParts;
  gateway: Gateway;
  generationCount(): Promise<number>;
  isDraining(): boolean;
  /** Aborted when the bridge stops: streams end then. */
  closing: AbortSignal;
  now: () => number;
}

export interface Api {
  routers: Router[];
  /** Resolves when every delivery under way is written down. */
  untilDelivered(): Promise<void>;
}

/** A part of the composition root: the routes of every API, over one core. */
export function buildApi(config: BridgeConfig, deps: BuildApiDeps): Api {
  const { store, ledger, feed, files, policy, workflows, gateway, isDraining, now } = deps;
  const { fleet, changes, requirements } = deps.fleetParts;
  const { scheduler, classify, judge, previewJob } = deps.schedulingParts;
  const operatorToken = config.operator.token?.reveal();
  const operator = requireOperator(operatorToken);

  const intake = createJobIntake(
    {
      ledger,
      fleet,
      classify,
      judge,
      queueLength: () => scheduler.queueLength(),
      isDraining,
      now,
    },
    { maxQueuedJobs: config.jobs.maxQueued, whenNoBackend: config.backends.whenNone },
  );
  const submitJob = createSubmitJob({
    intake,
    ledger,
    fleet,
    workflows,
    isSample: (fileName) => workflows.isSample(fileName),
    touchUpload: async (key) => {
      if ((await files.stat(key)) === undefined) return false;
      await files.touch(key);
      return true;
    },
    leaseOf: (clientId) => gateway.leaseOf(clientId),
    now,
  });
  const contextOf = (job: Job, origin: string): V2Context => ({
    origin,
    progress: ledger.progressOf(job.id) ?? feed.lastProgress(job),
    queuePosition: scheduler.positionOf(job.id),
    basePath: config.server.basePath,
    resultTtlMs: config.files.resultTtlMs,
  });
  const results = createResultRoutes({ ledger, files, now });

  return {
    routers: [
      createHealthRoutes({ fleet, isDraining }),
      createWorkflowRoutes({ workflows, fleet }),
      createUploadRoutes({
        store: files,
        policy,
        limits: {
          maxBytesPerFile: config.files.uploadMaxBytes,
          maxFiles: config.files.uploadMaxFiles,
          maxFieldBytes: 1024 * 1024,
        },
        isDraining,
      }),
      createJobRoutes(
        {
          submitJob,
          ledger,
          scheduler,
          isConnected: (clientId) => gateway.isConnected(clientId),
          generationCount: () => deps.generationCount(),
          isOperator: (request) => isOperator(request, operatorToken),
        },
        { maxJsonBytes: config.client.jsonMaxBytes },
      ),
      results.router,
      createV2JobRoutes({ ledger, scheduler, feed, contextOf, closing: deps.closing }),
      createPlacementRoutes({ previewJob }),
      createBridgeJobRoutes({
        ledger,
        store,
        files,
        contextOf,
        etaOf: (job) => scheduler.forecast(job),
        requireOperator: operator,
      }),
      createBackendRoutes({ fleet, changes, requireOperator: operator, now }),
      createRequirementRoutes({ workflows, requirements, fleet, requireOperator: operator }),
      createFreeRoutes({
        fleet,
        ledger,
        guardFree: operatorToken === undefined ? (_request, _response, next) => next() : operator,
      }),
    ],
    untilDelivered: () => results.untilDelivered(),
  };
}
