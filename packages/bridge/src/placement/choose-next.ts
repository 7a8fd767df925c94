import type { Waiting } from './claim.ts';
import type { CostRow } from './cost-table.ts';
import type { Kind } from './kind.ts';
import { isWarm } from './seat.ts';

/** How far behind its front a seat's list is searched for a job whose models are in memory. */
const searchDepth = 32;
/** A job waits for others with warm models for at most so many times what loading its own would take. */
const patience = 2;

/**
 * Which of the jobs that are meant for a seat it does next: the first, or, if that one's models would have to be loaded,
 * the first whose models are in memory, while nobody before it would be kept waiting by such jobs for more than twice as long
 * as its own loading takes. The first job of an owner lets one pass at most. Notes on those who are passed that they were.
 */
export function chooseNext(
  jobs: readonly Waiting[],
  loaded: { has(model: string): boolean },
  { index, rowOf }: { index: number; rowOf: (kind: Kind) => CostRow },
): Waiting | undefined {
  const first = jobs[0];
  const passed: Waiting[] = [];
  for (const job of jobs) {
    if (isWarm(job.kind, loaded)) {
      const runMs = rowOf(job.kind).runMs[index] ?? 0;
      const mayPass = passed.every((other) =>
        letsPass(other, job, runMs, rowOf(other.kind).loadMs[index] ?? 0),
      );
      if (!mayPass) return first;
      for (const other of passed) {
        other.passedOverMs += runMs;
        other.passedOver += 1;
      }
      return job;
    }
    passed.push(job);
    if (passed.length >= searchDepth || (job.isFirst && job.passedOver > 0)) break;
  }
  return first;
}

function letsPass(waits: Waiting, passes: Waiting, runMs: number, loadMs: number): boolean {
  if (waits.isFirst && waits.passedOver > 0) return false;
  // One that was put back by its priority is not to be pulled ahead of a normal one.
  return passes.priority >= waits.priority && waits.passedOverMs + runMs <= patience * loadMs;
}
