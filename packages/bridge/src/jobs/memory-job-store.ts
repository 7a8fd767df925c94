import type { JobStatus } from '@comfy-bridge/protocol';

import { isTerminal } from './job.ts';
import type { Job, JobId } from './job.ts';
import type { JobFilter, JobStore } from './job-store.ts';

/** Keeps jobs for the life of the process: for tests and for trying things out. */
export function createMemoryJobStore(): JobStore {
  const jobs = new Map<JobId, Job>();
  const records = new Map<string, Map<string, string>>();
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
      if (stored.revision !== expected.revision) return false;
      jobs.set(next.id, next);
      return true;
    },
    async get(id) {
      return jobs.get(id);
    },
    async latestOf(clientId) {
      let latest: Job | undefined;
      // Insertion order is creation order, whatever the clock said.
      for (const job of jobs.values()) if (job.clientId === clientId) latest = job;
      return latest;
    },
    async findByResult(resultId) {
      return [...jobs.values()].find(
        ({ state }) => state.status === 'succeeded' && state.results.some(({ id }) => id === resultId),
      );
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
    async list({ clientId, account, statuses, workflow, before, limit, ...rest }) {
      const newestFirst = [...jobs.values()].toReversed().toSorted((a, b) => b.createdAt - a.createdAt);
      const at = newestFirst.findIndex((job) => job.id === before?.id);
      const after =
        at >= 0 ? newestFirst.slice(at + 1) : newestFirst.filter((job) => isNotAfter(job, before));
      return after
        .filter((job) => clientId === undefined || job.clientId === clientId)
        .filter((job) => account === undefined || job.account === account)
        .filter((job) => statuses === undefined || statuses.includes(job.state.status))
        .filter((job) => workflow === undefined || job.workflow === workflow)
        .filter((job) => isWithin(job, rest))
        .slice(0, limit);
    },
    async countByStatus() {
      const counts: Partial<Record<JobStatus, number>> = {};
      for (const { state } of jobs.values()) counts[state.status] = (counts[state.status] ?? 0) + 1;
      return counts;
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
    async readRecords(collection) {
      return new Map(records.get(collection));
    },
    async writeRecords(collection, entries) {
      const kept = records.get(collection) ?? new Map<string, string>();
      for (const [key, value] of entries) kept.set(key, value);
      records.set(collection, kept);
    },
    async readRecord(collection, key) {
      return records.get(collection)?.get(key);
    },
    async addRecord(collection, key, value) {
      const kept = records.get(collection) ?? new Map<string, string>();
      if (kept.has(key)) return false;
      records.set(collection, kept.set(key, value));
      return true;
    },
    async dropRecords(collection) {
      records.delete(collection);
    },
    async removeRecords(collection, keys) {
      for (const key of keys) records.get(collection)?.delete(key);
    },
    async [Symbol.asyncDispose]() {
      jobs.clear();
      records.clear();
    },
  };
}

function isWithin(job: Job, { since, until, backend, text }: Omit<JobFilter, 'limit'>): boolean {
  if (since !== undefined && job.createdAt < since) return false;
  if (until !== undefined && job.createdAt >= until) return false;
  if (backend !== undefined && !ranOn(job, backend)) return false;
  const told = [job.id, job.workflow, job.clientId ?? ''];
  return text === undefined || told.some((one) => one.toLowerCase().includes(text));
}

function ranOn({ attempts, hedge }: Job, backend: string): boolean {
  return hedge?.backend === backend || attempts.some((attempt) => attempt.backend === backend);
}

/** For a cursor whose job is gone: only its time is known. */
function isNotAfter(job: Job, before: JobFilter['before']): boolean {
  return before === undefined || job.createdAt <= before.createdAt;
}
