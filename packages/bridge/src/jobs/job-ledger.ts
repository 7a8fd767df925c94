import { setTimeout as delay } from 'node:timers/promises';

import type { Progress } from '@comfy-bridge/protocol';

import { BridgeError } from '../errors.ts';
import type { Events } from '../events.ts';
import { reachPoint } from '../lib/crash-point.ts';
import type { Logger } from '../logging.ts';
import { isTerminal, transition } from './job.ts';
import type { Job, JobChange, JobId, JobResult } from './job.ts';
import { JobStoreError } from './job-store.ts';
import type { JobStore } from './job-store.ts';
import { createRecentJobs } from './recent-jobs.ts';

/**
 * The only place where a job changes. Each change goes: pure transition → store (compare-and-set) → memory → event, one
 * at a time per job, so what is told was written before, and of two that race exactly one wins.
 */
export interface JobLedger {
  /** Records a new job. Resolves once it is stored and announced. */
  submit(job: Job): Promise<void>;
  /** The changed job; undefined when the change came too late (wrong state, or an older attempt). */
  apply(id: JobId, change: JobChange): Promise<Job | undefined>;
  get(id: JobId): Promise<Job | undefined>;
  latestOf(clientId: string): Promise<Job | undefined>;
  /** A result by its id (the asset id of Comfy API v2), with its job, while that is kept; of a running job too. */
  findResult(resultId: string): Promise<{ job: Job; result: JobResult } | undefined>;
  /** Unfinished jobs, in memory. */
  unfinished(): IterableIterator<Job>;
  isUnfinished(id: JobId): boolean;
  /** Reports progress of a running attempt. Kept in memory only; a late report of an older attempt is dropped. */
  reportProgress(id: JobId, attempt: number, progress: Progress): void;
  progressOf(id: JobId): Progress | undefined;
  /** A result of a running attempt is kept here. In memory only; one of an older attempt is passed over. */
  reportOutput(id: JobId, attempt: number, result: JobResult): void;
  /** The attempt did not end well: what was reported of it is gone. */
  dropOutputs(id: JobId, attempt: number): void;
  /** The results that a running attempt has given so far, as they came; none of a job that does not run. */
  outputsOf(id: JobId): readonly JobResult[];
  /** Reads unfinished jobs of an earlier process into memory; call once before anything else. */
  load(): Promise<Job[]>;
  /** Changes that cannot be stored stop waiting, and reject. */
  close(): void;
}

interface LiveJob {
  job: Job;
  progress: Progress | undefined;
  outputs: readonly JobResult[];
  /** The last change under way; the next one waits for it. */
  tail: Promise<unknown>;
}

/** Jobs kept after their end; each holds its prompt. */
const recentJobs = 100;

export function createJobLedger({
  store,
  events,
  log,
}: {
  store: JobStore;
  events: Events;
  log: Logger;
}): JobLedger {
  const closing = new AbortController();
  const live = new Map<JobId, LiveJob>();
  const liveByClient = new Map<string, JobId>();
  const recent = createRecentJobs(recentJobs);
  /** Of running jobs: what is done is found in the store. */
  const jobOfResult = new Map<string, JobId>();

  function remember(job: Job): void {
    live.set(job.id, { job, progress: undefined, outputs: [], tail: Promise.resolve() });
    if (job.clientId !== null) liveByClient.set(job.clientId, job.id);
  }

  function dropOutputs(entry: LiveJob): void {
    for (const { id } of entry.outputs) jobOfResult.delete(id);
    entry.outputs = [];
  }

  function findRunning(resultId: string): { job: Job; result: JobResult } | undefined {
    const id = jobOfResult.get(resultId);
    const entry = id === undefined ? undefined : live.get(id);
    const result = entry?.outputs.find((output) => output.id === resultId);
    return entry === undefined || result === undefined ? undefined : { job: entry.job, result };
  }

  function forget(job: Job): void {
    live.delete(job.id);
    if (job.clientId !== null && liveByClient.get(job.clientId) === job.id) liveByClient.delete(job.clientId);
    recent.add(job);
  }

  async function change(id: JobId, entry: LiveJob | undefined, event: JobChange): Promise<Job | undefined> {
    const current = entry?.job ?? recent.get(id) ?? (await store.get(id));
    if (current === undefined) return undefined;
    const result = transition(current, event);
    if (!result.ok) return undefined;
    if (!(await replaceStubbornly(current, result.job))) return undefined;
    if (event.type === 'succeeded') reachPoint('job-succeeded-stored');
    if (entry !== undefined) {
      entry.job = result.job;
      if (event.type === 'requeued') entry.progress = toFloor(entry.progress);
      if (!hasOutputs(result.job)) dropOutputs(entry);
      if (isTerminal(result.job.state.status)) forget(result.job);
    } else {
      recent.remove(id);
    }
    announce(events, result.job, event);
    if (event.type === 'succeeded') reachPoint('job-announced');
    return result.job;
  }

  /** What has happened cannot be refused: while the store cannot write, the change waits, and with it whoever must be told. */
  async function replaceStubbornly(current: Job, next: Job): Promise<boolean> {
    for (let tries = 0; ; tries += 1) {
      try {
        return await store.replace(current, next);
      } catch (error) {
        if (!(error instanceof JobStoreError) || closing.signal.aborted) throw error;
        if (tries === 0)
          log.error({ err: error, jobId: next.id }, 'a change of a job cannot be stored and waits');
        const options = { signal: closing.signal, ref: false };
        await delay(Math.min(5_000, 100 * 2 ** Math.min(tries, 6)), undefined, options).catch(() => {});
      }
    }
  }

  return {
    async submit(job) {
      try {
        await store.insert(job);
      } catch (error) {
        throw toRefusal(error);
      }
      reachPoint('job-stored');
      remember(job);
      events.emit('job:queued', { job });
    },
    apply(id, event) {
      const entry = live.get(id);
      if (entry === undefined) return change(id, undefined, event);
      const turn = entry.tail.then(() => change(id, live.get(id), event));
      entry.tail = turn.catch(() => {});
      return turn;
    },
    async get(id) {
      return live.get(id)?.job ?? recent.get(id) ?? (await store.get(id));
    },
    async latestOf(clientId) {
      const id = liveByClient.get(clientId);
      const known = (id === undefined ? undefined : live.get(id)?.job) ?? recent.latestOf(clientId);
      return known ?? (await store.latestOf(clientId));
    },
    async findResult(resultId) {
      const running = findRunning(resultId);
      if (running !== undefined) return running;
      const job = recent.findByResult(resultId) ?? (await store.findByResult(resultId));
      if (job?.state.status !== 'succeeded') return undefined;
      const result = job.state.results.find(({ id }) => id === resultId);
      return result === undefined ? undefined : { job, result };
    },
    *unfinished() {
      for (const { job } of live.values()) yield job;
    },
    isUnfinished: (id) => live.has(id),
    reportProgress(id, attempt, progress) {
      const entry = live.get(id);
      if (entry === undefined || entry.job.attempt !== attempt || entry.job.state.status !== 'running')
        return;
      entry.progress = { ...progress, value: Math.max(progress.value, entry.progress?.value ?? 0) };
      events.emit('job:progress', { job: entry.job, progress: entry.progress });
    },
    progressOf: (id) => live.get(id)?.progress,
    reportOutput(id, attempt, result) {
      const entry = live.get(id);
      if (entry === undefined || entry.job.attempt !== attempt || entry.job.state.status !== 'running')
        return;
      entry.outputs = [...entry.outputs, result];
      jobOfResult.set(result.id, id);
      events.emit('job:output', { job: entry.job, result });
    },
    dropOutputs(id, attempt) {
      const entry = live.get(id);
      if (entry !== undefined && entry.job.attempt === attempt) dropOutputs(entry);
    },
    outputsOf: (id) => live.get(id)?.outputs ?? [],
    async load() {
      const jobs = await store.unfinished();
      jobs.forEach(remember);
      return jobs;
    },
    close: () => closing.abort(),
  };
}

function hasOutputs({ state: { status } }: Job): boolean {
  return status === 'running' || status === 'canceling';
}

/** A job that cannot be stored is not accepted. */
function toRefusal(error: unknown): unknown {
  if (!(error instanceof JobStoreError)) return error;
  return error.reason === 'full'
    ? new BridgeError('storage_full', 'the disk of the bridge is full: try again later', { cause: error })
    : new BridgeError('unavailable', 'jobs cannot be stored at the moment: try again later', {
        cause: error,
      });
}

/** What a listener was told never falls, so a new attempt starts from the value that the lost one had reached. */
function toFloor(progress: Progress | undefined): Progress | undefined {
  if (progress === undefined) return undefined;
  return {
    ...progress,
    nodes_done: 0,
    current_node: null,
    current_node_class: null,
    step: null,
    steps: null,
  };
}

function announce(events: Events, job: Job, change: JobChange): void {
  switch (change.type) {
    case 'assigned':
      return events.emit('job:assigned', { job });
    case 'phase':
    case 'reattached':
      return events.emit('job:phase', { job });
    case 'requeued':
      return events.emit('job:queued', { job });
    case 'hedged':
      return events.emit('job:hedged', { job });
    case 'reprioritized':
      return events.emit('job:reprioritized', { job });
    case 'cancel-requested':
      return events.emit(job.state.status === 'canceled' ? 'job:finished' : 'job:canceling', { job });
    case 'succeeded':
    case 'failed':
    case 'canceled':
      return events.emit('job:finished', { job });
    case 'delivered':
      return events.emit('job:delivered', { job });
    case 'expired':
      return events.emit('job:expired', { job });
  }
}
