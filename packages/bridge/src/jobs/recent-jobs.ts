import type { Job, JobId } from './job.ts';

/** The jobs that ended last: their clients come for the results at once, and need not wait for the store. */
export interface RecentJobs {
  add(job: Job): void;
  get(id: JobId): Job | undefined;
  /** The one added last under a clientId; undefined when that is not kept any more, whatever older ones are. */
  latestOf(clientId: string): Job | undefined;
  findByResult(resultId: string): Job | undefined;
  remove(id: JobId): void;
}

export function createRecentJobs(limit: number): RecentJobs {
  const jobs = new Map<JobId, Job>();
  const byClient = new Map<string, JobId>();

  function remove(id: JobId): void {
    const clientId = jobs.get(id)?.clientId ?? null;
    jobs.delete(id);
    if (clientId !== null && byClient.get(clientId) === id) byClient.delete(clientId);
  }

  return {
    add(job) {
      remove(job.id);
      jobs.set(job.id, job);
      if (job.clientId !== null) byClient.set(job.clientId, job.id);
      const [oldest] = jobs.keys();
      if (jobs.size > limit && oldest !== undefined) remove(oldest);
    },
    get: (id) => jobs.get(id),
    latestOf(clientId) {
      const id = byClient.get(clientId);
      return id === undefined ? undefined : jobs.get(id);
    },
    findByResult(resultId) {
      for (const job of jobs.values()) {
        const { state } = job;
        if (state.status === 'succeeded' && state.results.some(({ id }) => id === resultId)) return job;
      }
      return undefined;
    },
    remove,
  };
}
