import type { JobStatus } from '@comfy-bridge/protocol';

import type { RecordCollections } from '../lib/records.ts';
import { isTerminal } from './job.ts';
import type { Job, JobId } from './job.ts';

/**
 * Where jobs live, and beside them what else the bridge keeps. Calls take effect in the order in which they were made, reads included: a read sees every write called
 * before it. A write resolves only when it is as durable as promised, so that a change is written before anybody is told;
 * one that cannot be kept rejects with `JobStoreError` and has changed nothing. One conformance suite
 * (`tests/job-store.suite.ts`) holds for every implementation.
 */
export interface JobStore extends RecordCollections, AsyncDisposable {
  /** Inserts a new job and counts it. Durable: it survives a power cut. Rejects when the id exists. */
  insert(job: Job): Promise<void>;
  /**
   * Compare-and-set: replaces the stored job only if its attempt, status and revision are still those of `expected`.
   * False when somebody else was first. What never changes in a job (who asked for what, and when) is left as it was inserted.
   */
  replace(expected: Job, next: Job, options?: ReplaceOptions): Promise<boolean>;
  get(id: JobId): Promise<Job | undefined>;
  /** The job made last under a compatibility `clientId`. */
  latestOf(clientId: string): Promise<Job | undefined>;
  /** The job that made a result of this id, while it is kept. */
  findByResult(resultId: string): Promise<Job | undefined>;
  /** Every job in a non-terminal state, oldest first. */
  unfinished(): Promise<Job[]>;
  /** Up to `limit` jobs in a terminal state that ended before `time` (ms since the epoch), oldest first. */
  finishedBefore(time: number, limit: number): Promise<Job[]>;
  /** One page of jobs, newest first: by `createdAt`; within one millisecond, the one inserted later first. */
  list(filter: JobFilter): Promise<Job[]>;
  /** How many jobs are kept in each status; a status without jobs is left out. */
  countByStatus(): Promise<Partial<Record<JobStatus, number>>>;
  remove(id: JobId): Promise<void>;
  /** Every job ever started, over restarts. */
  generationCount(): Promise<number>;
  /** Raises the count to at least `count`: an existing `current_state.json` is where counting starts. */
  raiseGenerationCount(count: number): Promise<void>;
}

export interface ReplaceOptions {
  /**
   * True: survives a power cut once resolved. False: survives a kill of the process. Default `mustSurvivePowerCut`: true
   * for what a caller is told for good (the end of a job, a delivery), false for steps that a restart repeats.
   */
  durable?: boolean;
}

/** Every given field must match. */
export interface JobFilter {
  clientId?: string;
  account?: string;
  /** Any of these; an empty list matches nothing. */
  statuses?: readonly JobStatus[];
  workflow?: string;
  /** The name of a backend that has, or had, any run of it. */
  backend?: string;
  /** Made then or later, ms since the epoch. */
  since?: number;
  /** Made before. */
  until?: number;
  /** A part of its id, of its `clientId` or of the name of its workflow, in small letters; large ones are found as well. */
  text?: string;
  /**
   * The last job of the page before. Jobs that come and go meanwhile neither repeat nor hide another; only if the cursor's
   * own job was removed are others of its millisecond given again.
   */
  before?: { createdAt: number; id: JobId };
  /** A positive integer. */
  limit: number;
}

/** The store cannot keep anything now, and recovers by itself: `full` when the disk is, `unavailable` for all else. */
export class JobStoreError extends Error {
  override readonly name = 'JobStoreError';
  readonly reason: 'full' | 'unavailable';

  constructor(reason: 'full' | 'unavailable', options?: { cause?: unknown }) {
    super(
      reason === 'full' ? 'the disk that keeps the jobs is full' : 'the job store does not answer',
      options,
    );
    this.reason = reason;
  }
}

/** Whether this change ends the job or marks its delivery: what a caller was told then holds after a power cut too. */
export function mustSurvivePowerCut(expected: Job, next: Job): boolean {
  const ends = isTerminal(next.state.status) && !isTerminal(expected.state.status);
  return ends || (next.deliveredAt !== null && expected.deliveredAt === null);
}
