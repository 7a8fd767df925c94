import { extname } from 'node:path';

import type { Request, RequestHandler, Router } from 'express';

import { toKeyId } from './access/api-key.ts';
import type { Access } from './access/access.ts';
import type { ResultLinks } from './access/result-links.ts';
import type { FileStore } from './files/file-store.ts';
import { createLinkRoutes } from './http/routes/links.ts';
import type { BridgeConfig } from './config/bridge-config.ts';
import type { AssetParts } from './build-assets.ts';
import { findFileTypeByExtension } from './files/file-types.ts';
import { createJobInputRoutes } from './http/routes/job-inputs.ts';
import type { ContextOf } from './scheduling/job-context.ts';
import type { JobIntake } from './scheduling/submit/job-intake.ts';
import { createRetryJob } from './scheduling/submit/retry-job.ts';
import type { WorkflowCatalog } from './workflows/catalog/workflow-catalog.ts';
import type { FleetParts } from './build-fleet.ts';
import type { SchedulingParts } from './build-scheduling.ts';
import type { DescribeBackend } from './http/answers/describe-backend.ts';
import type { DescribeJob } from './http/answers/describe-job.ts';
import { findPage, readPage } from './http/console/read-page.ts';
import type { GraphGuard } from './http/requests/may-run-graphs.ts';
import { createConsoleRoutes } from './http/routes/console.ts';
import { createPageEventRoutes } from './http/routes/page-events.ts';
import { createPageStreams } from './http/streams/page-streams.ts';
import type { PageStreams } from './http/streams/page-streams.ts';
import type { StreamLimit } from './http/streams/stream-limit.ts';
import type { Events } from './events.ts';
import type { Job } from './jobs/job.ts';
import type { JobLedger } from './jobs/job-ledger.ts';
import type { JobEta } from './jobs/v2-view.ts';
import { createSettingsRoutes } from './http/routes/settings.ts';
import { createMeRoutes } from './http/routes/me.ts';
import { version } from './version.ts';

export interface BuildPageDeps {
  access: Access;
  ledger: JobLedger;
  events: Events;
  fleetParts: Pick<FleetParts, 'fleet'>;
  schedulingParts: Pick<SchedulingParts, 'scheduler' | 'whyWaiting'>;
  workflows: WorkflowCatalog;
  assets: Pick<AssetParts, 'touchUpload' | 'resolveAsset' | 'findFile'>;
  intake: JobIntake;
  contextOf: ContextOf;
  files: FileStore;
  links: ResultLinks;
  describeJob: DescribeJob;
  describeBackend: DescribeBackend;
  etaOf(job: Job): JobEta | undefined;
  /** Of all event streams. */
  limit: StreamLimit;
  graphs: GraphGuard;
  isOperator(request: Request): boolean;
  requireOperator: RequestHandler;
  /** Where the built page lies; default: where it is built. */
  pageDir: string | undefined;
  closing: AbortSignal;
  now: () => number;
}

export interface PageParts {
  routers: Router[];
  streams: PageStreams;
}

/** A part of the composition root: the page of the bridge, and what it asks for beside what programs do. */
export function buildPage(config: BridgeConfig, deps: BuildPageDeps): PageParts {
  const { access, assets, workflows, graphs, isOperator } = deps;
  const { basePath } = config.server;
  const { scheduler, whyWaiting } = deps.schedulingParts;
  const { fleet } = deps.fleetParts;
  const streams = createPageStreams({
    ...{ ...deps, whyWaiting, version },
    unfinished: () => deps.ledger.unfinished(),
    positionOf: ({ id }) => scheduler.positionOf(id),
    describeFleet: () => fleet.backends.map((backend) => deps.describeBackend.full(backend)),
    isGood: access.isGood,
    seesAll: access.seesAll,
  });
  return {
    streams,
    routers: [
      createConsoleRoutes(readPage(deps.pageDir ?? findPage(import.meta.dirname)), { basePath }),
      createPageEventRoutes({ streams, requireOperator: deps.requireOperator }),
      createJobInputRoutes({
        ...deps,
        retryJob: createRetryJob({
          ...{ ...assets, intake: deps.intake },
          isSample: (fileName) => workflows.isSample(fileName),
        }),
        findFile: assets.findFile,
        contentTypeOf: (fileName) => findFileTypeByExtension(extname(fileName).toLowerCase())?.contentType,
        basePath,
      }),
      createLinkRoutes(
        { ...deps, isRevoked: (account) => isRevoked(access, account) },
        { basePath, resultTtlMs: config.files.resultTtlMs },
      ),
      createSettingsRoutes({ told: config.told, requireOperator: deps.requireOperator }),
      createMeRoutes(
        { access, graphs, isOperator },
        {
          version,
          uploadMaxBytes: config.files.uploadMaxBytes,
          uploadMaxFiles: config.files.uploadMaxFiles,
          unfinishedJobs: config.limits.unfinishedJobs,
        },
      ),
    ],
  };
}

/** What a key gave away ends when it is revoked, or forgotten. One that has expired has done nothing wrong. */
function isRevoked({ keys }: Access, account: string): boolean {
  const id = toKeyId(account);
  return id !== '' && keys.get(id)?.revokedAt !== null;
}
