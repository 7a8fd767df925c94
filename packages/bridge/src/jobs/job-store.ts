import type { Job, JobId } from './job.ts';

/**
 * Where jobs live. Every write resolves only when it is as durable as the store makes it, so that a change is written
 * before anybody is told. One conformance suite (`tests/job-store.suite.ts`) holds for every implementation.
 */
export interface JobStore extends AsyncDisposable {
  /** Inserts a new job and counts it. Rejects when the id exists. */
  insert(job: Job): Promise<void>;
  /**
   * Compare-and-set: replaces the stored job only if its attempt and status are still those of `expected`. False when
   * somebody else was first.
   */
  replace(expected: Job, next: Job): Promise<boolean>;
  get(id: JobId): Promise<Job | undefined>;
  /** The job made last under a compatibility `clientId`. */
  latestOf(clientId: string): Promise<Job | undefined>;
  /** Every job in a non-terminal state, oldest first. */
  unfinished(): Promise<Job[]>;
  /** Up to `limit` jobs in a terminal state that ended before `time` (ms since the epoch), oldest first. */
  finishedBefore(time: number, limit: number): Promise<Job[]>;
  remove(id: JobId): Promise<void>;
  /** Every job ever started, over restarts. */
  generationCount(): Promise<number>;
  /** Raises the count to at least `count`: an existing `current_state.json` is where counting starts. */
  raiseGenerationCount(count: number): Promise<void>;
}
