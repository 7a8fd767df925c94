import type { Job } from '../jobs/job.ts';
import type { Kind } from '../placement/kind.ts';

/** How long the fleet may be without any machine for a waiting job: one may come back with a model, or with a node. */
const patienceMs = 60_000;

export interface HopelessDeps {
  classify(job: Job): Kind;
  /** Why no backend can ever run it; undefined when one can, or may. */
  findObstacles(kind: Kind): string | undefined;
  /** Whether those that have all it needs were shown to be too small: no patience helps there. */
  isTooLarge(kind: Kind): boolean;
}

/** Finds jobs that were accepted when somebody could run them, and that nobody can any more. */
export interface HopelessFinder {
  /** Of these waiting jobs, those for which there has been nobody for a minute, or that are too large, with the reason for their owners. */
  find(waiting: Iterable<Job>, now: number): { job: Job; reason: string }[];
}

export function createHopelessFinder({ classify, findObstacles, isTooLarge }: HopelessDeps): HopelessFinder {
  /** Since when nobody can run this kind, ms since the epoch. */
  let since = new Map<Kind, { at: number; reason: string }>();

  return {
    find(waiting, now) {
      const jobsOf = Map.groupBy(waiting, classify);
      const still = new Map<Kind, { at: number; reason: string }>();
      const hopeless: { job: Job; reason: string }[] = [];
      for (const [kind, jobs] of jobsOf) {
        const reason = findObstacles(kind);
        if (reason === undefined) continue;
        const at = since.get(kind)?.at ?? now;
        still.set(kind, { at, reason });
        if (now - at >= patienceMs || isTooLarge(kind))
          hopeless.push(...jobs.map((job) => ({ job, reason })));
      }
      since = still;
      return hopeless;
    },
  };
}
