import type { FleetParts } from './build-fleet.ts';
import { buildTrust } from './build-trust.ts';
import type { BridgeConfig } from './config/bridge-config.ts';
import type { Events } from './events.ts';
import type { FilePolicy } from './files/collect-result.ts';
import type { FileStore } from './files/file-store.ts';
import type { JobLedger } from './jobs/job-ledger.ts';
import type { JobStore } from './jobs/job-store.ts';
import type { Job } from './jobs/job.ts';
import type { Logger } from './logging.ts';
import { createAttemptRunner } from './scheduling/attempt/attempt-runner.ts';
import { createTraces } from './scheduling/attempt/run-traces.ts';
import { createClassifier } from './scheduling/classify-job.ts';
import type { ClassifyJob } from './scheduling/classify-job.ts';
import { createExperience } from './scheduling/experience.ts';
import { createBackendJudge } from './scheduling/judge-backend.ts';
import type { BackendJudge } from './scheduling/judge-backend.ts';
import { createFleetHistory } from './scheduling/fleet-history.ts';
import type { FleetHistory } from './scheduling/fleet-history.ts';
import { createJobCredentials } from './scheduling/submit/job-credentials.ts';
import type { JobCredentials } from './scheduling/submit/job-credentials.ts';
import { createWhyWaiting } from './scheduling/explain-waiting.ts';
import type { WhyWaiting } from './scheduling/explain-waiting.ts';
import { keepExperience } from './scheduling/keep-experience.ts';
import { createPreviewJob } from './scheduling/submit/preview-job.ts';
import type { PreviewJob } from './scheduling/submit/preview-job.ts';
import { createScheduler } from './scheduling/scheduler.ts';
import type { Scheduler } from './scheduling/scheduler.ts';
import { createWarmSockets } from './scheduling/attempt/warm-sockets.ts';
import type { WorkflowCatalog } from './workflows/catalog/workflow-catalog.ts';

export interface SchedulingParts extends AsyncDisposable {
  readonly scheduler: Scheduler;
  readonly classify: ClassifyJob;
  readonly judge: BackendJudge;
  readonly previewJob: PreviewJob;
  readonly whyWaiting: WhyWaiting;
  readonly credentials: JobCredentials;
  readonly history: FleetHistory;
}

export interface BuildSchedulingDeps {
  store: JobStore;
  ledger: JobLedger;
  events: Events;
  files: FileStore;
  policy: FilePolicy;
  workflows: WorkflowCatalog;
  fleetParts: FleetParts;
  /** Whether somebody is listening who wants previews of this job. */
  wantsPreviews(job: Job): boolean;
  log: Logger;
  now: () => number;
}

/** A part of the composition root: what decides where jobs run, runs them there, and learns from it. */
export async function buildScheduling(
  config: BridgeConfig,
  deps: BuildSchedulingDeps,
): Promise<SchedulingParts> {
  const { store, ledger, events, files, policy, workflows, now } = deps;
  const { fleet, watch, requirements } = deps.fleetParts;
  const log = deps.log.child({ part: 'scheduling' });
  await using parts = new AsyncDisposableStack();
  const experience = createExperience();
  parts.use(await keepExperience({ store, experience, log }));
  const classify = createClassifier({ fleet });
  const judge = createBackendJudge({
    experience,
    requiredTags: (workflow) => requirements.requiredTags(workflow),
    now,
  });
  const sockets = createWarmSockets({ events, log, now }, config.backends);
  parts.defer(() => sockets.close());
  const credentials = createJobCredentials({ events });
  parts.defer(() => credentials.stop());
  const attempt = createAttemptRunner(
    {
      ledger,
      events,
      files,
      workflows,
      policy,
      experience,
      sockets,
      credentials,
      wantsPreviews: (job) => config.backends.previews && (job.previews || deps.wantsPreviews(job)),
      log: deps.log.child({ part: 'attempt' }),
      now,
    },
    {
      inactivityMs: config.client.timeoutMs,
      maxResultBytes: config.files.resultMaxBytes,
      maxJobResultBytes: config.files.jobResultMaxBytes,
    },
  );
  const traces = createTraces({ events, log }, { cleanUp: config.backends.cleanUp });
  const scheduler = createScheduler(
    {
      ledger,
      fleet,
      events,
      experience,
      classify,
      judge,
      newPromptId: (backend) => sockets.newPromptId(backend),
      probeSoon: (backend) => watch.probeSoon(backend),
      log,
      attempt,
      traces,
    },
    {
      slotsPerBackend: config.backends.slots,
      maxAttempts: config.jobs.maxAttempts,
      hedging: config.jobs.hedging,
      now,
    },
  );
  parts.defer(() => scheduler.stop());
  parts.use(
    buildTrust(config.backends, {
      ...{ fleetParts: deps.fleetParts, scheduler, classify, judge, files, policy, workflows },
      ...{ sockets, traces, events, now },
      log: deps.log.child({ part: 'trust' }),
    }),
  );
  const history = parts.use(createFleetHistory({ fleet, events, now }));
  readHistory({ store, history, log, now });
  const previewJob = createPreviewJob({
    fleet,
    workflows,
    classify,
    judge,
    experience,
    seats: () => scheduler.seats(),
    now,
  });
  const built = parts.move();
  return {
    scheduler,
    classify,
    judge,
    previewJob,
    whyWaiting: createWhyWaiting({ fleet, judge, classify, seats: () => scheduler.seats(), now }),
    credentials,
    history,
    [Symbol.asyncDispose]: () => built.disposeAsync(),
  };
}

/** Jobs of an earlier process that are read for what their machines have done. */
const mostRemembered = 1_000;
const rememberedMs = 24 * 60 * 60_000;

/** Nobody waits for it, and nothing is decided by it. */
function readHistory({
  store,
  history,
  log,
  now,
}: Pick<BuildSchedulingDeps, 'store' | 'log' | 'now'> & { history: FleetHistory }): void {
  store.list({ since: now() - rememberedMs, limit: mostRemembered }).then(
    (jobs) => history.remember(jobs, { isAll: jobs.length < mostRemembered }),
    (error: unknown) => log.debug({ err: error }, 'what the machines did before is not known'),
  );
}
