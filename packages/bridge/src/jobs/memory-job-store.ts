import { isTerminal } from './job.ts';
import type { Job, JobId } from './job.ts';
import type { JobStore } from './job-store.ts';

/** Keeps jobs for the life of the process: for tests and for trying things out. */
export function createMemoryJobStore(): JobStore {
  const jobs = new Map<JobId, Job>();
  let count = 0;

  return {
    async insert(job) {
      if (jobs.has(job.id)) throw new Error(`job ${job.id} exists`);
      jobs.set(job.id, job);
      count += 1;
    },
    async replace(expected, next) {
      const stored = jobs.get(expected.id);
      if (stored?.attempt !== expected.attempt || stored.state.status !== expected.state.status) return false;
      jobs.set(next.id, next);
      return true;
    },
    async get(id) {
      return jobs.get(id);
    },
    async latestOf(clientId) {
      let latest: Job | undefined;
      // Insertion order is creation order; a later one with the same millisecond still wins.
      for (const job of jobs.values()) {
        if (job.clientId === clientId && job.createdAt >= (latest?.createdAt ?? 0)) latest = job;
      }
      return latest;
    },
    async unfinished() {
      return [...jobs.values()].filter((job) => !isTerminal(job.state.status));
    },
    async finishedBefore(time, limit) {
      return [...jobs.values()]
        .filter((job) => isTerminal(job.state.status) && job.finishedAt !== null && job.finishedAt < time)
        .toSorted((a, b) => (a.finishedAt ?? 0) - (b.finishedAt ?? 0))
        .slice(0, limit);
    },
    async remove(id) {
      jobs.delete(id);
    },
    async generationCount() {
      return count;
    },
    async raiseGenerationCount(atLeast) {
      count = Math.max(count, atLeast);
    },
    async [Symbol.asyncDispose]() {
      jobs.clear();
    },
  };
}
