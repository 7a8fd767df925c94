import type { QueueEvent } from '@comfy-bridge/protocol';

import type { Job, JobId } from '../../jobs/job.ts';
import { toEta } from '../../jobs/v2-view.ts';
import type { JobEta } from '../../jobs/v2-view.ts';

export interface QueueWatchDeps {
  unfinished(): Iterable<Job>;
  /** Place in the queue; undefined when it does not wait. */
  positionOf(job: Job): number | undefined;
  etaOf(job: Job): JobEta | undefined;
  whyWaiting(job: Job): string | null;
  now: () => number;
}

/** Looks at jobs that wait, in rounds, for what has changed since it was told. */
export interface QueueWatch {
  /** One round: of jobs that somebody is interested in. */
  look(isWanted: (job: Job) => boolean, tell: (job: Job, event: QueueEvent) => void): void;
  clear(): void;
}

interface Told {
  position: number;
  reason: string | null;
  /** ms since the epoch */
  finishAt: number | undefined;
}

/** Jobs of one round: when it will be one's turn costs a look at the whole fleet. With more, each has its turn. */
const perRound = 500;
/** An end is told anew when it has moved by this much, and by a twentieth of what is left. */
const leastMoveMs = 2_000;
const leastMoveShare = 0.05;

export function createQueueWatch({ now, ...deps }: QueueWatchDeps): QueueWatch {
  const told = new Map<JobId, Told>();
  let from = 0;

  function hasChanged(before: Told | undefined, next: Told): boolean {
    if (before === undefined || before.position !== next.position || before.reason !== next.reason)
      return true;
    if (before.finishAt === undefined || next.finishAt === undefined)
      return before.finishAt !== next.finishAt;
    const moved = Math.abs(before.finishAt - next.finishAt);
    return moved >= leastMoveMs && moved >= leastMoveShare * (next.finishAt - now());
  }

  return {
    look(isWanted, tell) {
      const waiting = [...deps.unfinished()].filter(
        (job) => deps.positionOf(job) !== undefined && isWanted(job),
      );
      const ids = new Set(waiting.map(({ id }) => id));
      for (const id of told.keys()) if (!ids.has(id)) told.delete(id);
      const count = Math.min(perRound, waiting.length);
      for (let index = 0; index < count; index += 1) {
        const job = waiting[(from + index) % waiting.length];
        const position = job === undefined ? undefined : deps.positionOf(job);
        if (job === undefined || position === undefined) continue;
        const eta = deps.etaOf(job);
        const next = { position, reason: deps.whyWaiting(job), finishAt: eta?.finishAt };
        if (!hasChanged(told.get(job.id), next)) continue;
        told.set(job.id, next);
        tell(job, {
          id: job.id,
          queue_position: position,
          eta: eta === undefined ? null : toEta(eta),
          waits_because: next.reason,
        });
      }
      from = waiting.length === 0 ? 0 : (from + count) % waiting.length;
    },
    clear() {
      told.clear();
      from = 0;
    },
  };
}
