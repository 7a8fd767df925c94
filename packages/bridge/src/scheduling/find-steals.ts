import type { Backend } from '../backends/fleet.ts';
import type { JobId } from '../jobs/job.ts';
import type { SeatCost } from '../placement/seat.ts';

/** A prompt of ours that waits in a backend's queue for the one before it to end. */
export interface Prefetched {
  id: JobId;
  backend: string;
  /** When it is expected to be done where it is, ms since the epoch. */
  finishAt: number;
  /** What it would cost on a backend that is idle; undefined where it cannot run. `loadMs` only if it would have to load. */
  costOn(idle: Backend): SeatCost | undefined;
}

/** What a move must save at least: taking a prompt back and staging it again is not free either. */
const leastGainMs = 1_000;
const leastGainShare = 0.3;

/**
 * Prefetched jobs that an idle backend would finish well before the one that they wait on: that one stalls, or turned out
 * slower than it seemed. Each idle backend gets one at most. Pure.
 */
export function findSteals(
  prefetched: readonly Prefetched[],
  idle: readonly Backend[],
  now: number,
): { id: JobId; to: Backend }[] {
  const steals: { id: JobId; to: Backend }[] = [];
  const free = new Set(idle);
  for (const job of prefetched.toSorted((a, b) => b.finishAt - a.finishAt)) {
    let best: { backend: Backend; ms: number } | undefined;
    for (const backend of free) {
      const cost = job.costOn(backend);
      if (cost === undefined) continue;
      const ms = cost.loadMs + cost.runMs;
      if (best === undefined || ms < best.ms) best = { backend, ms };
    }
    if (best === undefined) continue;
    const gain = job.finishAt - (now + best.ms);
    if (gain < Math.max(leastGainMs, leastGainShare * best.ms)) continue;
    free.delete(best.backend);
    steals.push({ id: job.id, to: best.backend });
  }
  return steals;
}
