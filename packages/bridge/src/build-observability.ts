import type { BridgeConfig } from './config/bridge-config.ts';
import type { Events } from './events.ts';
import type { Fleet } from './backends/fleet.ts';
import type { JobLedger } from './jobs/job-ledger.ts';
import type { Logger } from './logging.ts';
import { createMetrics } from './observability/metrics/create-metrics.ts';
import type { Metrics } from './observability/metrics/create-metrics.ts';
import type { ServiceSources } from './observability/metrics/service-metrics.ts';
import { createStats } from './observability/stats/create-stats.ts';
import type { Stats } from './observability/stats/create-stats.ts';
import { traceJobs } from './observability/traces/trace-jobs.ts';
import { underParent } from './observability/traces/trace-parent.ts';
import { createWorkflowLabels } from './observability/workflow-labels.ts';
import { version } from './version.ts';

export interface Observability extends AsyncDisposable {
  /** Undefined where they are off. */
  readonly metrics: Metrics | undefined;
  readonly stats: Stats;
  /** Answers a request under the trace of its caller; undefined where nothing is traced. */
  readonly underParent: typeof underParent | undefined;
}

export interface BuildObservabilityDeps {
  events: Events;
  ledger: JobLedger;
  fleet: Fleet;
  queueLength(): number;
  sources: ServiceSources;
  log: Logger;
  now: () => number;
}

/** A part of the composition root: what is told of the bridge beside its log. All of it hangs off events, and looks up the rest when asked. */
export async function buildObservability(
  config: BridgeConfig,
  { log, ...deps }: BuildObservabilityDeps,
): Promise<Observability> {
  await using parts = new AsyncDisposableStack();
  const { metrics: mode, traces } = config.observability;
  const { shutdownTimeoutMs } = config.server;
  const labelOf = createWorkflowLabels();
  const shared = {
    ...deps,
    labelOf,
    maxQueued: config.jobs.maxQueued,
    slotsPerBackend: config.backends.slots,
    version,
  };
  const stats = parts.use(createStats(shared));
  const metrics = mode === 'off' ? undefined : parts.use(createMetrics(shared));
  if (traces !== undefined) {
    const headers = Object.entries(traces.headers).map(([name, value]) => [name, value.reveal()]);
    const options = {
      ...traces,
      headers: Object.fromEntries(headers),
      version,
      // Of the time that a stop has: what is still being sent then must not hold up the end of the process.
      closeMs: Math.min(3_000, Math.max(500, shutdownTimeoutMs / 4)),
      exportMs: Math.min(5_000, 1_000 + shutdownTimeoutMs / 2),
    };
    parts.use(await traceJobs({ ...deps, log: log.child({ part: 'traces' }) }, options));
  }
  const built = parts.move();
  return {
    metrics,
    stats,
    underParent: traces === undefined ? undefined : underParent,
    [Symbol.asyncDispose]: () => built.disposeAsync(),
  };
}
