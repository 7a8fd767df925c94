import type { Backend } from '../backends/fleet.ts';
import type { JobId } from '../jobs/job.ts';
import type { Expected } from '../placement/cost-model.ts';

/** A job that executes, without a second run so far. */
export interface Executing {
  id: JobId;
  /** ms since the epoch */
  since: number;
  /** What it was expected to take, loading included, ms. */
  expectedMs: number;
  /** How sure that was. */
  spread: Expected['spread'];
  basis: Expected['basis'];
  canRunOn(idle: Backend): boolean;
}

/** In units of mean deviation: one in a hundred takes longer. */
const oneInHundred = 2.33 * 1.25;
const leastFactor = 2;
const leastLateMs = 3_000;

/** When a job is so late that hardly any run took as long, ms after it began. */
export function lateAfter({ expectedMs, spread }: Pick<Executing, 'expectedMs' | 'spread'>): number {
  return Math.max(
    expectedMs * Math.exp(oneInHundred * spread),
    expectedMs * leastFactor,
    expectedMs + leastLateMs,
  );
}

/**
 * Jobs that are far past what nearly all runs took, each with an idle backend to run it a second time; the latest first.
 * A job of which only guesses are known is not late. Pure.
 */
export function findHedges(
  executing: readonly Executing[],
  idle: readonly Backend[],
  now: number,
): { id: JobId; on: Backend }[] {
  const free = new Set(idle);
  const late = executing
    .filter((job) => job.basis !== 'guess' && now - job.since > lateAfter(job))
    .toSorted((a, b) => (now - b.since) / b.expectedMs - (now - a.since) / a.expectedMs);
  return late.flatMap(({ id, canRunOn }) => {
    const on = [...free].find(canRunOn);
    if (on === undefined) return [];
    free.delete(on);
    return [{ id, on }];
  });
}
