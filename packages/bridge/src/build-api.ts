import type { Router } from 'express';

import type { Access } from './access/access.ts';
import type { ResultLinks } from './access/result-links.ts';
import type { AssetParts } from './build-assets.ts';
import type { FleetParts } from './build-fleet.ts';
import { buildNamedWorkflows } from './build-named-workflows.ts';
import type { Observability } from './build-observability.ts';
import { buildOperatorRoutes } from './build-operator-routes.ts';
import { buildPage } from './build-page.ts';
import type { SchedulingParts } from './build-scheduling.ts';
import type { BridgeConfig } from './config/bridge-config.ts';
import type { Events } from './events.ts';
import type { FilePolicy } from './files/collect-result.ts';
import type { LimitedFileStore } from './files/limit-storage.ts';
import { toMark } from './files/saved-name.ts';
import { identityOf, requireGood } from './http/requests/identity.ts';
import { createIdempotency } from './http/requests/idempotency.ts';
import type { MetricsGate } from './http/requests/metrics-gate.ts';
import { createDescribeBackend } from './http/answers/describe-backend.ts';
import { createDescribeJob } from './http/answers/describe-job.ts';
import { createJobStreams } from './http/streams/job-streams.ts';
import { createStreamLimit, maxStreams } from './http/streams/stream-limit.ts';
import { createGraphGuard } from './http/requests/may-run-graphs.ts';
import { isOperator, requireOperator, requireRole } from './http/requests/require-operator.ts';
import { createBridgeEventRoutes } from './http/routes/bridge-events.ts';
import { createBridgeJobRoutes } from './http/routes/bridge-jobs.ts';
import { createBridgeSubmitRoutes } from './http/routes/bridge-submit.ts';
import { createConvertRoutes } from './http/routes/convert.ts';
import { createDocsRoutes } from './http/routes/docs.ts';
import { createHealthRoutes } from './http/routes/health.ts';
import { createJobRoutes } from './http/routes/jobs.ts';
import { createOpenApiRoutes } from './http/routes/openapi.ts';
import { createPlacementRoutes } from './http/routes/placement.ts';
import { createResultRoutes } from './http/routes/results.ts';
import { createTicketRoutes } from './http/routes/tickets.ts';
import { createUploadRoutes } from './http/routes/uploads.ts';
import { createV2EventRoutes } from './http/routes/v2-events.ts';
import { createV2JobRoutes } from './http/routes/v2-jobs.ts';
import { createV2SubmitRoutes } from './http/routes/v2-submit.ts';
import { createWorkflowRoutes } from './http/routes/workflows.ts';
import type { WebhookRegistry } from './http/requests/with-webhook.ts';
import type { JobFeed } from './jobs/job-feed.ts';
import type { JobLedger } from './jobs/job-ledger.ts';
import type { JobStore } from './jobs/job-store.ts';
import { parseJobId } from './jobs/job.ts';
import type { Job } from './jobs/job.ts';
import type { Logger } from './logging.ts';
import { createBindRequest } from './scheduling/submit/bind-request.ts';
import { createForgetJob } from './scheduling/upkeep/forget-job.ts';
import type { ContextOf } from './scheduling/job-context.ts';
import { createJobIntake } from './scheduling/submit/job-intake.ts';
import { createSummarizeJob } from './scheduling/summarize-job.ts';
import { createSubmitGraph } from './scheduling/submit/submit-graph.ts';
import { createSubmitJob } from './scheduling/submit/submit-job.ts';
import { version } from './version.ts';
import { convertOrRefuse } from './workflows/convert-ui/convert-or-refuse.ts';
import type { PublicationParts } from './workflows/catalog/publication-parts.ts';
import type { WorkflowCatalog } from './workflows/catalog/workflow-catalog.ts';
import type { Gateway } from './ws/gateway.ts';

export interface BuildApiDeps {
  access: Access;
  store: JobStore;
  ledger: JobLedger;
  feed: JobFeed;
  events: Events;
  files: LimitedFileStore;
  policy: FilePolicy;
  assets: AssetParts;
  workflows: WorkflowCatalog;
  publications: PublicationParts;
  fleetParts: FleetParts;
  schedulingParts: SchedulingParts;
  gateway: Gateway;
  observability: Observability;
  metricsGate: MetricsGate;
  webhooks: WebhookRegistry;
  contextOf: ContextOf;
  generationCount(): Promise<number>;
  isDraining(): boolean;
  /** Aborted when the bridge stops: streams end then. */
  closing: AbortSignal;
  /** Where the built page lies, when that is somewhere else. */
  pageDir: string | undefined;
  links: ResultLinks;
  log: Logger;
  now: () => number;
}

export interface Api {
  routers: Router[];
  /** Resolves when every delivery under way is written down. */
  untilDelivered(): Promise<void>;
  openStreams(): number;
  /** Lets go of event streams whose keys are over. */
  dropUnwelcome(): void;
  /** Whether somebody is told pictures of this job by the stream of everything. */
  wantsPreviews(job: Job): boolean;
}

/** A part of the composition root: the routes of every API, over one core. */
export function buildApi(config: BridgeConfig, deps: BuildApiDeps): Api {
  const {
    access,
    store,
    ledger,
    feed,
    files,
    policy,
    assets,
    workflows,
    gateway,
    contextOf,
    isDraining,
    now,
  } = deps;
  const { fleet } = deps.fleetParts;
  const { scheduler, classify, judge, previewJob, credentials, history } = deps.schedulingParts;
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
      cancel: (id, reason) => scheduler.cancel(id, reason),
      maxUnfinishedOf: (owner) => access.limitsOf(owner).unfinishedJobs ?? config.limits.unfinishedJobs,
      now,
    },
    { maxQueuedJobs: config.jobs.maxQueued, whenNoBackend: config.backends.whenNone },
  );
  const { touchUpload } = assets;
  const bind = createBindRequest({
    fleet,
    isSample: (fileName) => workflows.isSample(fileName),
    touchUpload,
    resolveAsset: assets.resolveAsset,
  });
  const submitJob = createSubmitJob({
    intake,
    ledger,
    workflows,
    bind,
    leaseOf: (clientId) => gateway.leaseOf(clientId),
    now,
  });
  const submitGraph = createSubmitGraph({
    intake,
    fleet,
    credentials,
    resolveAsset: assets.resolveAsset,
    touchUpload,
  });
  const idempotency = createIdempotency({ records: store, now });
  const graphs = createGraphGuard({ allow: config.jobs.anyWorkflow, operatorToken });
  const etaOf = (job: Job) => scheduler.forecast(job);
  const { whyWaiting } = deps.schedulingParts;
  const describeJob = createDescribeJob({
    ...{ contextOf, etaOf, whyWaiting },
    summaryOf: createSummarizeJob({ workflows, fleet }),
  });
  const describeBackend = createDescribeBackend({
    ...{ history, now },
    progressOf: (id) => ledger.progressOf(id),
  });
  const limit = createStreamLimit({ total: maxStreams, perAccount: config.limits.streams });
  const streams = createJobStreams({
    feed,
    positionOf: ({ id }) => scheduler.positionOf(id),
    contextOf,
    closing: deps.closing,
    isGood: access.isGood,
    limit,
  });
  const results = createResultRoutes({ ledger, files, now });
  const page = buildPage(config, {
    ...deps,
    ...{ intake, graphs, describeJob, describeBackend, etaOf, limit },
    isOperator: (request) => isOperator(request, operatorToken),
    requireOperator: operator,
  });

  return {
    routers: [
      createHealthRoutes({
        fleet,
        isDraining,
        isStranger: (request) => access.required && identityOf(request) === undefined,
      }),
      createOpenApiRoutes(
        { workflows, fleet },
        { version, basePath: config.server.basePath, keysRequired: access.required },
      ),
      createDocsRoutes(),
      ...page.routers,
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
        checkRoom: (account) => files.checkRoomOf(toMark(account)),
      }),
      createJobRoutes(
        {
          submitJob,
          workflows,
          ledger,
          scheduler,
          isConnected: (clientId) => gateway.isConnected(clientId),
          generationCount: () => deps.generationCount(),
          isOperator: (request) => isOperator(request, operatorToken),
        },
        { maxJsonBytes: config.client.jsonMaxBytes },
      ),
      results.router,
      createV2JobRoutes({ ledger, scheduler, contextOf }),
      createV2EventRoutes({ ledger, streams }),
      createBridgeEventRoutes({ ledger, streams }),
      createV2SubmitRoutes(
        {
          submitGraph,
          ledger,
          idempotency,
          graphs,
          isOperator: (request) => isOperator(request, operatorToken),
          contextOf,
        },
        { maxJsonBytes: config.client.jsonMaxBytes },
      ),
      createBridgeSubmitRoutes(
        {
          submitGraph,
          convert: (workflow) => convertOrRefuse(workflow, { findDefinition: fleet.findDefinition }),
          webhooks: deps.webhooks,
          findJob: (id) => ledger.get(parseJobId(id)),
          idempotency,
          graphs,
          isOperator: (request) => isOperator(request, operatorToken),
          contextOf,
        },
        { maxJsonBytes: config.client.jsonMaxBytes },
      ),
      createConvertRoutes({ fleet, mayRunGraphs: graphs.mayRunGraphs }),
      ...assets.routes({
        claimKey: (request) => idempotency.claim(request, 'POST /api/v2/assets'),
        isDraining,
      }),
      createPlacementRoutes({ previewJob }),
      ...buildNamedWorkflows(config, {
        ...deps,
        fleet,
        scheduler,
        classify,
        judge,
        intake,
        bind,
        idempotency,
        isOperator: (request) => isOperator(request, operatorToken),
        requireAuthor: requireRole('author', operatorToken),
        requireGood: (request) => requireGood(access, request),
      }),
      createBridgeJobRoutes({
        ledger,
        store,
        files,
        describeJob,
        forgetJob: createForgetJob({ ledger, store, files, events: deps.events, now }),
        requireOperator: operator,
      }),
      createTicketRoutes({ tickets: access.tickets }),
      ...buildOperatorRoutes(
        { ...deps, describeBackend, requireOperator: operator },
        { isFreeOpen: operatorToken === undefined && !access.required },
      ),
    ],
    untilDelivered: () => results.untilDelivered(),
    openStreams: () => streams.openStreams() + page.streams.openStreams(),
    dropUnwelcome() {
      streams.dropUnwelcome();
      page.streams.dropUnwelcome();
    },
    wantsPreviews: (job) => page.streams.wantsPreviews(job),
  };
}
