import { Counter, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';

import type { Events } from '../../events.ts';
import type { Job } from '../../jobs/job.ts';
import type { JobLedger } from '../../jobs/job-ledger.ts';
import type { LabelOf } from '../workflow-labels.ts';
import { showGauge } from './show-gauge.ts';

export interface JobMetricsDeps {
  events: Events;
  ledger: Pick<JobLedger, 'unfinished'>;
  labelOf: LabelOf;
  /** Jobs that wait for a backend. */
  queueLength(): number;
  maxQueued: number;
  now: () => number;
}

const waitBuckets = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600];
const ends = ['succeeded', 'failed', 'canceled'];
const runBuckets = [0.1, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1_800, 3_600];

/** Counts jobs as they come and end, and looks at those under way when somebody asks. Returns how to stop. */
export function countJobs(registers: Registry[], deps: JobMetricsDeps): () => void {
  const { events, labelOf, now } = deps;
  const startedAt = now();
  const submitted = new Counter({
    name: 'comfy_bridge_jobs_submitted_total',
    help: 'Jobs that were accepted.',
    labelNames: ['workflow'],
    registers,
  });
  const ended = new Counter({
    name: 'comfy_bridge_jobs_total',
    help: 'Jobs that ended, by how: succeeded, failed or canceled.',
    labelNames: ['workflow', 'status'],
    registers,
  });
  const failures = new Counter({
    name: 'comfy_bridge_job_failures_total',
    help: 'Jobs that failed, by why.',
    labelNames: ['workflow', 'reason'],
    registers,
  });
  const waits = new Histogram({
    name: 'comfy_bridge_job_wait_seconds',
    help: 'From the submit of a job to the start of its first attempt.',
    labelNames: ['workflow'],
    buckets: waitBuckets,
    registers,
  });
  const runs = new Histogram({
    name: 'comfy_bridge_job_run_seconds',
    help: 'From the start of the last attempt of a job to its end, of jobs that succeeded.',
    labelNames: ['workflow'],
    buckets: runBuckets,
    registers,
  });
  const hedges = new Counter({
    name: 'comfy_bridge_job_hedges_total',
    help: 'Second runs of jobs that took far too long.',
    registers,
  });
  showUnfinished(registers, deps);

  const unsubscribe = [
    events.on('job:queued', ({ job }) => {
      const workflow = labelOf(job.workflow);
      // From the first job on, or the first end of each kind would be no increase.
      for (const status of ends) ended.inc({ workflow, status }, 0);
      // One of an earlier process was counted there.
      if (job.attempt === 0 && job.createdAt >= startedAt) submitted.inc({ workflow });
    }),
    events.on('job:assigned', ({ job }) => {
      if (job.attempt !== 1 || job.startedAt === null) return;
      waits.observe({ workflow: labelOf(job.workflow) }, seconds(job.startedAt - job.createdAt));
    }),
    events.on('job:hedged', () => hedges.inc()),
    events.on('job:finished', ({ job }) => {
      const workflow = labelOf(job.workflow);
      const { state } = job;
      ended.inc({ workflow, status: state.status });
      if (state.status === 'failed') failures.inc({ workflow, reason: state.error.code });
      const ms = runMs(job);
      if (state.status === 'succeeded' && ms !== undefined) runs.observe({ workflow }, seconds(ms));
    }),
  ];
  return () => unsubscribe.forEach((off) => off());
}

function showUnfinished(
  registers: Registry[],
  { ledger, labelOf, queueLength, maxQueued, now }: JobMetricsDeps,
): void {
  showGauge(registers, {
    name: 'comfy_bridge_jobs_unfinished',
    help: 'Jobs under way, by where they stand: queued, staging, executing, collecting or canceling.',
    labelNames: ['workflow', 'state'],
    read(gauge) {
      for (const { workflow, state, count } of countUnfinished(ledger, labelOf).values())
        gauge.set({ workflow, state }, count);
    },
  });
  showGauge(registers, {
    name: 'comfy_bridge_queue_length',
    help: 'Jobs that wait for a backend.',
    read: (gauge) => gauge.set(queueLength()),
  });
  showGauge(registers, {
    name: 'comfy_bridge_queue_limit',
    help: 'Jobs that may wait (MAX_QUEUED_JOBS).',
    read: (gauge) => gauge.set(maxQueued),
  });
  showGauge(registers, {
    name: 'comfy_bridge_queue_oldest_seconds',
    help: 'How long the job has existed that waits and was submitted first; 0 when none waits.',
    read(gauge) {
      let oldest = Infinity;
      for (const { state, createdAt } of ledger.unfinished())
        if (state.status === 'queued' && createdAt < oldest) oldest = createdAt;
      gauge.set(oldest === Infinity ? 0 : Math.max(0, seconds(now() - oldest)));
    },
  });
}

interface Counted {
  workflow: string;
  state: string;
  count: number;
}

/** Counted first and told to the gauge once for each label: the gauge is slower than a map. */
function countUnfinished(ledger: Pick<JobLedger, 'unfinished'>, labelOf: LabelOf): Map<string, Counted> {
  const counts = new Map<string, Counted>();
  for (const job of ledger.unfinished()) {
    const workflow = labelOf(job.workflow);
    const state = job.state.status === 'running' ? job.state.phase : job.state.status;
    const key = `${state} ${workflow}`;
    const counted = counts.get(key);
    if (counted === undefined) counts.set(key, { workflow, state, count: 1 });
    else counted.count += 1;
  }
  return counts;
}

function runMs({ startedAt, finishedAt }: Job): number | undefined {
  return startedAt === null || finishedAt === null ? undefined : Math.max(0, finishedAt - startedAt);
}

function seconds(ms: number): number {
  return ms / 1_000;
}
