import { randomInt } from 'node:crypto';

import type { FleetParts } from './build-fleet.ts';
import type { BridgeConfig } from './config/bridge-config.ts';
import type { Events } from './events.ts';
import type { FilePolicy } from './files/collect-result.ts';
import type { FileStore } from './files/file-store.ts';
import type { Logger } from './logging.ts';
import type { Traces } from './scheduling/attempt/run-traces.ts';
import type { WarmSockets } from './scheduling/attempt/warm-sockets.ts';
import type { ClassifyJob } from './scheduling/classify-job.ts';
import type { BackendJudge } from './scheduling/judge-backend.ts';
import type { Scheduler } from './scheduling/scheduler.ts';
import { compareDuplicates } from './scheduling/trust/compare-duplicates.ts';
import { createDuplicateCredit } from './scheduling/trust/duplicate-credit.ts';
import { createDuplicateRuns } from './scheduling/trust/run-duplicates.ts';
import { createSteadyWorkflows } from './scheduling/trust/steady-workflows.ts';
import { createTrials } from './scheduling/trust/trials.ts';
import { watchCanaries } from './scheduling/trust/watch-canaries.ts';
import type { WorkflowCatalog } from './workflows/catalog/workflow-catalog.ts';

export interface BuildTrustDeps {
  fleetParts: Pick<FleetParts, 'fleet' | 'changes'>;
  scheduler: Scheduler;
  classify: ClassifyJob;
  judge: BackendJudge;
  files: FileStore;
  policy: FilePolicy;
  workflows: WorkflowCatalog;
  sockets: WarmSockets;
  traces: Traces;
  events: Events;
  log: Logger;
  now: () => number;
}

const pumpMs = 1_000;
const steps = 2 ** 40;

/** Machines of strangers are to guess neither what a canary is nor when it comes. */
function random(): number {
  return randomInt(steps) / steps;
}

/** A part of the composition root: whether results can be believed. Nothing of it exists unless it is wanted. */
export function buildTrust(
  {
    canaryIntervalMs: intervalMs,
    duplicateShare,
    duplicateTolerance: tolerance,
  }: Pick<BridgeConfig['backends'], 'canaryIntervalMs' | 'duplicateShare' | 'duplicateTolerance'>,
  { fleetParts, scheduler, ...deps }: BuildTrustDeps,
): AsyncDisposable {
  const parts = new AsyncDisposableStack();
  if (intervalMs === 0 && duplicateShare === 0) return parts;
  const { fleet, changes } = fleetParts;
  const { events, log, now } = deps;
  const trials = createTrials({ ...deps, fleet, seats: () => scheduler.seats() });
  parts.defer(() => trials.stop());
  const standing = { changes, events, now, log };
  const canaries =
    intervalMs > 0 ? watchCanaries({ ...standing, trials, random }, { intervalMs }) : undefined;
  parts.defer(() => canaries?.stop());
  if (duplicateShare === 0) return parts;

  const steady = createSteadyWorkflows({ now });
  function trySoon(name: string): void {
    const backend = fleet.find(name);
    if (backend !== undefined) canaries?.trySoon(backend);
  }
  const runs = createDuplicateRuns({
    ...deps,
    fleet,
    trials,
    credit: createDuplicateCredit(duplicateShare, random),
    queueLength: () => scheduler.queueLength(),
    isSteady: (workflow) => steady.isSteady(workflow),
    onMade: (job, made, isLast) =>
      compareDuplicates({ ...standing, fleet, steady, trySoon }, { job, made, isLast }, { tolerance }),
  });
  const timer = setInterval(() => runs.pump(), pumpMs).unref();
  const unsubscribe = [
    events.on('job:finished', ({ job }) => runs.offer(job)),
    events.on('backend:capacity', () => runs.pump()),
  ];
  parts.defer(() => {
    clearInterval(timer);
    unsubscribe.forEach((off) => off());
  });
  return parts;
}
