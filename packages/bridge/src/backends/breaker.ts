/**
 * Whether a backend that answers its probes is also trusted with work: a circuit breaker, fed by how attempts end.
 *
 *   closed ──failures in a row──► open(until) ──time──► half-open ──one job ok──► closed
 *                                    ▲                      │
 *                                    └──────job failed──────┘   (twice as long)
 *
 * A backend that comes (back) starts slowly: one job at a time until one has gone well.
 */
export type Breaker =
  | { state: 'closed'; failures: number; proven: boolean }
  | { state: 'open'; until: number; backoffMs: number }
  | { state: 'half-open'; backoffMs: number };

export type BreakerEvent =
  | { type: 'attempt-ok' }
  /** The backend's fault: lost, silent, garbage. A prompt that is wrong in itself says nothing of the backend. */
  /** `stuck`: it holds a prompt that cannot be stopped, so it can do nothing else. */
  | { type: 'attempt-failed'; at: number; stuck?: boolean }
  /** It answers again after it did not. */
  | { type: 'returned' };

export interface BreakerLimits {
  /** Failures in a row that open it. */
  failuresToOpen: number;
  firstBackoffMs: number;
  maxBackoffMs: number;
}

export const defaultBreakerLimits: BreakerLimits = {
  failuresToOpen: 3,
  firstBackoffMs: 2_000,
  maxBackoffMs: 60_000,
};

export const freshBreaker: Breaker = { state: 'closed', failures: 0, proven: false };

/** Pure. */
export function transitionBreaker(breaker: Breaker, event: BreakerEvent, limits: BreakerLimits): Breaker {
  switch (event.type) {
    case 'attempt-ok':
      return { state: 'closed', failures: 0, proven: true };
    case 'returned':
      // Back from the dead says nothing about the past: what it was open for may be over, but it starts slowly.
      return breaker.state === 'open' ? breaker : { ...freshBreaker };
    case 'attempt-failed': {
      const patient = event.stuck !== true && breaker.state === 'closed';
      if (patient && breaker.failures + 1 < limits.failuresToOpen) {
        return { state: 'closed', failures: breaker.failures + 1, proven: false };
      }
      const backoffMs =
        breaker.state === 'closed'
          ? limits.firstBackoffMs
          : Math.min(limits.maxBackoffMs, breaker.backoffMs * 2);
      return { state: 'open', until: event.at + backoffMs, backoffMs };
    }
  }
}

/** The breaker as of `now`: an open one whose time has come lets one job through. */
export function settleBreaker(breaker: Breaker, now: number): Breaker {
  if (breaker.state !== 'open' || now < breaker.until) return breaker;
  return { state: 'half-open', backoffMs: breaker.backoffMs };
}

/** How many prompts of ours it may hold at a time, of `most`. `isLast`: no other backend is left, so it is never shut out. */
export function slotsAllowed(breaker: Breaker, most: number, isLast: boolean): number {
  switch (breaker.state) {
    case 'open':
      return isLast ? 1 : 0;
    case 'half-open':
      return 1;
    case 'closed':
      return breaker.proven ? most : 1;
  }
}
