/** A time to wait, from a moment on. */
export interface Pause {
  /** ms since the epoch */
  from: number;
  ms: number;
}

export const noPause: Pause = { from: 0, ms: 0 };

const mostMs = 3_600_000;

/** At least `ms`, and so long that work which took `tookMs` takes up no more than `share` of all time; never over an hour. */
export function pauseAfter(
  work: { at: number; tookMs: number },
  { ms, share }: { ms: number; share: number },
): Pause {
  return { from: work.at, ms: Math.min(mostMs, Math.max(ms, (work.tookMs / share) * (1 - share))) };
}

/** A clock that was set back ends a pause early rather than late. */
export function isOver({ from, ms }: Pause, now: number): boolean {
  return Math.abs(now - from) >= ms;
}
