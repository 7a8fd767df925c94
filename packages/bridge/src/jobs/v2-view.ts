import type { BridgeJob, JobStatus, Progress } from '@comfy-bridge/protocol';

import { isTerminal } from './job.ts';
import type { Job, JobResult } from './job.ts';

export interface V2Context {
  progress: Progress | undefined;
  /** What a running job has given so far. */
  outputs: readonly JobResult[];
  /** Place in the queue, 0 is next; undefined when it does not wait. */
  queuePosition: number | undefined;
  /** As the caller reaches the bridge, `https://host`: the URL of a result is absolute. */
  origin: string;
  /** Sub-path that the bridge is served under; the links of a job are host-relative and hold it. */
  basePath: string;
  resultTtlMs: number;
}

/** When a job is expected to be done, ms since the epoch. */
export interface JobEta {
  finishAt: number;
  earliestAt: number;
  latestAt: number;
  basis: 'measured' | 'estimated' | 'guessed';
}

/** The state as the public vocabulary has it: what waits on a backend for its turn is still queued to its owner. */
export function publicStatus(job: Job): JobStatus {
  const { state } = job;
  return state.status === 'running' && state.phase === 'staging' ? 'queued' : state.status;
}

/** The job object of Comfy API v2, all fields of the contract and no others. Pure. */
export function toV2Job(job: Job, context: V2Context) {
  const { progress, queuePosition, basePath } = context;
  const status = publicStatus(job);
  const self = `${basePath}/api/v2/jobs/${job.id}`;
  const executingAt = job.attempts.at(-1)?.executingAt ?? null;
  const { state } = job;
  return {
    id: job.id,
    status,
    created_at: new Date(job.createdAt).toISOString(),
    started_at: toTime(executingAt),
    completed_at: toTime(job.finishedAt),
    expires_at: toExpiry(job, context),
    queue_position: toQueuePosition(job, queuePosition),
    progress: toV2Progress(job, progress),
    outputs: outputsNow(job, context.outputs).map((result) => toV2Output(job, result, context)),
    error:
      state.status === 'failed' ? { node_id: null, class_type: null, traceback: null, ...state.error } : null,
    metrics: {
      queue_ms: executingAt === null ? null : executingAt - job.createdAt,
      execution_ms: executingAt === null || job.finishedAt === null ? null : job.finishedAt - executingAt,
    },
    urls: { self, events: `${self}/events`, cancel: `${self}/cancel` },
  };
}

/** The results that can be fetched now. What was delivered over the compatibility API is gone. */
export function outputsNow(
  { state, deliveredAt }: Job,
  committed: readonly JobResult[],
): readonly JobResult[] {
  if (state.status === 'running' || state.status === 'canceling') return committed;
  return state.status === 'succeeded' && deliveredAt === null ? state.results : [];
}

/** Payload of a `status` event. */
export function toV2Status(job: Job, queuePosition: number | undefined) {
  return { status: publicStatus(job), queue_position: toQueuePosition(job, queuePosition) };
}

function toQueuePosition(job: Job, queuePosition: number | undefined): number | null {
  return publicStatus(job) === 'queued' ? (queuePosition ?? 0) : null;
}

function toExpiry({ finishedAt, createdAt }: Job, { resultTtlMs }: Pick<V2Context, 'resultTtlMs'>): string {
  return new Date((finishedAt ?? createdAt) + resultTtlMs).toISOString();
}

export function toV2Progress(job: Job, progress: Progress | undefined) {
  if (progress === undefined) return null;
  const done = job.state.status === 'succeeded';
  return { ...progress, value: done ? 1 : progress.value, message: toMessage(progress) };
}

/** `KSampler 21/50` */
function toMessage({ current_node_class: name, step, steps }: Progress): string | null {
  if (name === null) return null;
  return step === null || steps === null ? name : `${name} ${step}/${steps}`;
}

export function toV2Output(
  job: Job,
  { nodeId, fileName, type, contentType, size, id, hash }: JobResult,
  context: Pick<V2Context, 'origin' | 'basePath' | 'resultTtlMs'>,
) {
  return {
    node_id: nodeId,
    name: fileName,
    type,
    content_type: contentType,
    size_bytes: size,
    id,
    hash: hash ?? null,
    url: `${context.origin}${context.basePath}/api/v2/assets/${id}/content`,
    url_expires_at: toExpiry(job, context),
    job_id: job.id,
  };
}

/** Ours, beside the official object: attempts with the names of their backends, and where the time went, in ms. */
export function toBridgeJob(
  job: Job,
  context: V2Context & {
    eta: JobEta | undefined;
    waitsBecause: string | null;
    inputsSummary: string | null;
  },
): BridgeJob {
  const executingAt = job.attempts.at(-1)?.executingAt ?? null;
  return {
    ...toV2Job(job, context),
    workflow: job.workflow,
    client_id: job.clientId,
    inputs_summary: context.inputsSummary,
    priority: job.priority,
    eta: context.eta === undefined ? null : toEta(context.eta),
    phase: job.state.status === 'running' ? job.state.phase : null,
    waits_because: context.waitsBecause,
    attempts: job.attempts.map(({ backend, startedAt, executingAt: began, endedAt, outcome }, index) => ({
      number: index + 1,
      backend,
      outcome,
      started_at: toTime(startedAt),
      executing_at: toTime(began),
      ended_at: toTime(endedAt),
    })),
    timings: {
      queue_ms: difference(job.createdAt, executingAt),
      run_ms: difference(executingAt, job.finishedAt),
      delivery_ms: difference(job.finishedAt, job.deliveredAt),
    },
    delivered_at: toTime(job.deliveredAt),
    finished: isTerminal(job.state.status),
  };
}

/** In eight of ten cases it is done between `earliest` and `latest`. */
export function toEta({ finishAt, earliestAt, latestAt, basis }: JobEta) {
  return { at: toTime(finishAt), earliest: toTime(earliestAt), latest: toTime(latestAt), basis };
}

function difference(from: number | null, to: number | null): number | null {
  return from === null || to === null ? null : to - from;
}

function toTime(ms: number | null): string | null {
  return ms === null ? null : new Date(Math.round(ms)).toISOString();
}
