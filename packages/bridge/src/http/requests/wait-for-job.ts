import type { Events } from '../../events.ts';
import type { JobId } from '../../jobs/job.ts';

export interface JobWaitsDeps {
  events: Events;
  isUnfinished(id: JobId): boolean;
  /** Aborted when the bridge stops: nobody waits any longer then. */
  closing: AbortSignal;
}

/** `left`: the signal was aborted. `stopped`: the bridge stops. */
export type WaitOutcome = 'ended' | 'time-out' | 'left' | 'stopped';

/** Requests that wait for the end of jobs. */
export interface JobWaits {
  /**
   * Waits until all of these jobs have ended, for at most `ms`. Undefined, at once, when too many wait already: the caller
   * then answers how things stand.
   */
  wait(ids: Iterable<JobId>, options: { ms: number; signal: AbortSignal }): Promise<WaitOutcome> | undefined;
}

interface Waiter {
  missing: Set<JobId>;
  end(outcome: WaitOutcome): void;
}

/** One listener for all of them, so that a job's end costs only what waits for it. */
export function createJobWaits(
  { events, isUnfinished, closing }: JobWaitsDeps,
  { maxWaiters = 5_000 }: { maxWaiters?: number } = {},
): JobWaits {
  const waiters = new Set<Waiter>();
  const byJob = new Map<JobId, Set<Waiter>>();

  function remove(waiter: Waiter): void {
    waiters.delete(waiter);
    for (const id of waiter.missing) {
      const others = byJob.get(id);
      others?.delete(waiter);
      if (others?.size === 0) byJob.delete(id);
    }
  }

  events.on('job:finished', ({ job: { id } }) => {
    const ended = byJob.get(id);
    byJob.delete(id);
    for (const waiter of ended ?? []) {
      waiter.missing.delete(id);
      if (waiter.missing.size === 0) waiter.end('ended');
    }
  });
  closing.addEventListener('abort', () => [...waiters].forEach((waiter) => waiter.end('stopped')), {
    once: true,
  });

  return {
    wait(ids, { ms, signal }) {
      if (waiters.size >= maxWaiters) return undefined;
      const missing = new Set([...ids].filter(isUnfinished));
      if (missing.size === 0) return Promise.resolve('ended');
      if (closing.aborted) return Promise.resolve('stopped');
      if (signal.aborted) return Promise.resolve('left');
      const { promise, resolve } = Promise.withResolvers<WaitOutcome>();
      const leave = () => waiter.end('left');
      const timer = setTimeout(() => waiter.end('time-out'), ms);
      const waiter: Waiter = {
        missing,
        end(outcome) {
          clearTimeout(timer);
          signal.removeEventListener('abort', leave);
          remove(waiter);
          resolve(outcome);
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      waiters.add(waiter);
      for (const id of missing) byJob.set(id, (byJob.get(id) ?? new Set()).add(waiter));
      return promise;
    },
  };
}
