/** What to do with a frame that has come, and with those after it. */
export type FrameVerdict =
  | 'take'
  /** Take it, and read no more until the window ends. */
  | 'pause'
  /** Far too many came in one piece: pass it over. */
  | 'drop';

export interface FrameBudget {
  /** One more frame of `bytes` at `now`, ms of any clock that only goes forward. */
  add(bytes: number, now: number): FrameVerdict;
  /** How long until more may be read, ms. */
  restMs(now: number): number;
}

export interface FrameBudgetOptions {
  /** ms; default 100 */
  windowMs?: number;
  /** In a window; default 1,000. A ComfyUI at work sends a few. */
  frames?: number;
  /** In a window; default 16 MB. */
  bytes?: number;
}

/** Frames that still come after a pause was asked for are of what had been read already, one piece of the network's. */
const dropFactor = 4;

/**
 * How much of one machine's events is read: a flood costs the machine that sends it, since what is not read fills its own
 * buffers, and not everybody else. Pure.
 */
export function createFrameBudget({
  windowMs = 100,
  frames = 1000,
  bytes = 16 * 1024 * 1024,
}: FrameBudgetOptions = {}): FrameBudget {
  let [start, count, size] = [-Infinity, 0, 0];
  return {
    add(length, now) {
      if (now - start >= windowMs) [start, count, size] = [now, 0, 0];
      count += 1;
      size += length;
      if (count > frames * dropFactor) return 'drop';
      return count >= frames || size >= bytes ? 'pause' : 'take';
    },
    restMs: (now) => Math.max(0, start + windowMs - now),
  };
}
