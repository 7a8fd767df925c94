import type { BridgeStats } from '@comfy-bridge/protocol';

import { statusOf } from '../../backends/backend-status.ts';
import type { BackendStatus } from '../../backends/backend-status.ts';
import type { Fleet } from '../../backends/fleet.ts';
import type { Events } from '../../events.ts';
import type { StorageUsage } from '../../files/limit-storage.ts';
import type { JobLedger } from '../../jobs/job-ledger.ts';
import type { LabelOf } from '../workflow-labels.ts';
import { createLastSamples } from './last-samples.ts';
import type { LastSamples } from './last-samples.ts';
import { createMinuteRing } from './minute-ring.ts';

export interface StatsDeps {
  events: Events;
  ledger: Pick<JobLedger, 'unfinished'>;
  fleet: Pick<Fleet, 'backends'>;
  labelOf: LabelOf;
  queueLength(): number;
  maxQueued: number;
  sources: {
    openSockets(): number;
    openStreams(): number;
    storage(): StorageUsage;
    webhooksOwed(): { due: number; registered: number };
    isDraining(): boolean;
  };
  version: string;
  now: () => number;
}

export interface Stats extends Disposable {
  read(): BridgeStats;
}

const hour = 60;
const day = 24 * hour;

/** What people ask of a bridge that runs, in one look: nothing of it outlives the process. */
export function createStats(deps: StatsDeps): Stats {
  const { events, labelOf, now } = deps;
  const startedAt = now();
  const past = createMinuteRing(['submitted', 'succeeded', 'failed', 'canceled'], { minutes: day, now });
  const times = new Map<string, { waits: LastSamples; runs: LastSamples }>();

  function timesOf(workflow: string) {
    const label = labelOf(workflow);
    const known = times.get(label) ?? { waits: createLastSamples(), runs: createLastSamples() };
    times.set(label, known);
    return known;
  }

  const unsubscribe = [
    events.on('job:queued', ({ job }) => {
      if (job.attempt === 0 && job.createdAt >= startedAt) past.note('submitted');
    }),
    events.on('job:assigned', ({ job }) => {
      if (job.attempt === 1 && job.startedAt !== null)
        timesOf(job.workflow).waits.add(Math.max(0, job.startedAt - job.createdAt));
    }),
    events.on('job:finished', ({ job }) => {
      const { state, workflow, startedAt: ranFrom, finishedAt } = job;
      if (state.status !== 'succeeded' && state.status !== 'failed' && state.status !== 'canceled') return;
      past.note(state.status);
      if (state.status === 'succeeded' && ranFrom !== null && finishedAt !== null)
        timesOf(workflow).runs.add(Math.max(0, finishedAt - ranFrom));
    }),
  ];

  return {
    read: () => ({
      version: deps.version,
      started_at: new Date(startedAt).toISOString(),
      uptime_seconds: Math.floor((now() - startedAt) / 1_000),
      draining: deps.sources.isDraining(),
      jobs: { ...describeUnfinished(deps), last_hour: past.sum(hour), last_day: past.sum(day) },
      throughput: { per_minute: past.perMinute('succeeded', hour) },
      workflows: [...times]
        .map(([workflow, { waits, runs }]) => ({
          workflow,
          wait_ms: describeSamples(waits),
          run_ms: describeSamples(runs),
        }))
        .toSorted((a, b) => a.workflow.localeCompare(b.workflow, 'en')),
      backends: describeFleet(deps.fleet),
      ...describeSources(deps.sources),
    }),
    [Symbol.dispose]: () => unsubscribe.forEach((off) => off()),
  };
}

function describeUnfinished({ ledger, labelOf, queueLength, maxQueued, now }: StatsDeps) {
  const counts = { queued: 0, running: 0, canceling: 0 };
  const waiting = new Map<string, number>();
  let oldest: number | undefined;
  for (const { state, workflow, createdAt } of ledger.unfinished()) {
    if (state.status !== 'queued' && state.status !== 'running' && state.status !== 'canceling') continue;
    counts[state.status] += 1;
    if (state.status !== 'queued') continue;
    const label = labelOf(workflow);
    waiting.set(label, (waiting.get(label) ?? 0) + 1);
    oldest = Math.min(oldest ?? createdAt, createdAt);
  }
  return {
    now: counts,
    queue: {
      length: queueLength(),
      limit: maxQueued,
      oldest_seconds: oldest === undefined ? null : Math.max(0, (now() - oldest) / 1_000),
      by_workflow: [...waiting]
        .map(([workflow, jobs]) => ({ workflow, jobs }))
        .toSorted((a, b) => b.jobs - a.jobs || a.workflow.localeCompare(b.workflow, 'en')),
    },
  };
}

function describeSamples(samples: LastSamples) {
  return { count: samples.count, p50: samples.quantile(0.5), p95: samples.quantile(0.95) };
}

function describeFleet({ backends }: Pick<Fleet, 'backends'>): BridgeStats['backends'] {
  const count = (status: BackendStatus) => backends.filter((backend) => statusOf(backend) === status).length;
  return {
    all: backends.length,
    connecting: count('connecting'),
    ready: count('ready'),
    lost: count('lost'),
    draining: count('draining'),
    paused: count('paused'),
    leaving: count('leaving'),
  };
}

function describeSources({ openSockets, openStreams, storage, webhooksOwed }: StatsDeps['sources']) {
  const { usedBytes, quotaBytes } = storage();
  return {
    websockets: openSockets(),
    event_streams: openStreams(),
    storage: { used_bytes: usedBytes, quota_bytes: quotaBytes },
    webhooks_owed: webhooksOwed(),
  };
}
