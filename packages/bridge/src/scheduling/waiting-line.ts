import type { Job, JobId } from '../jobs/job.ts';
import type { Wish } from './pick-backend.ts';

/** The jobs that wait for a backend, oldest first; one that lost its attempt gets its old place back. */
export interface WaitingLine {
  readonly size: number;
  add(job: Job, wish: Wish): void;
  remove(id: JobId): boolean;
  /** 0 is next; undefined when it does not wait. */
  positionOf(id: JobId): number | undefined;
  entries(): IterableIterator<[JobId, Wish]>;
}

interface Entry {
  wish: Wish;
  createdAt: number;
}

export function createWaitingLine(): WaitingLine {
  let line = new Map<JobId, Entry>();
  let newest = Number.NEGATIVE_INFINITY;

  function insertInOrder(id: JobId, entry: Entry): void {
    const all = [...line, [id, entry] as const];
    line = new Map(all.toSorted(([, a], [, b]) => a.createdAt - b.createdAt));
  }

  return {
    get size() {
      return line.size;
    },
    add(job, wish) {
      const entry = { wish, createdAt: job.createdAt };
      line.delete(job.id);
      if (job.createdAt >= newest || line.size === 0) line.set(job.id, entry);
      else insertInOrder(job.id, entry);
      newest = Math.max(newest, job.createdAt);
    },
    remove: (id) => line.delete(id),
    positionOf(id) {
      if (!line.has(id)) return undefined;
      let position = 0;
      for (const other of line.keys()) {
        if (other === id) return position;
        position += 1;
      }
      return undefined;
    },
    *entries() {
      for (const [id, { wish }] of line) yield [id, wish];
    },
  };
}
