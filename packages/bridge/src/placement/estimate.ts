/** What is known of a positive quantity, as the logarithm of its value. Plain data, so that it can be stored. */
export interface Estimate {
  /** Observations. */
  readonly n: number;
  readonly mean: number;
  /** Mean distance of an observation from the mean. */
  readonly spread: number;
}

/** Nobody is sure after one look: about a third up or down. */
const firstSpread = 0.3;
const leastSpread = 0.03;
/** What comes later counts at least this much, so that a machine that changes is noticed. */
const leastStep = 0.2;
/** From so many observations on, one that is far off counts only as far as the limit. */
const robustFrom = 3;

/**
 * The next estimate after an observation. A single outlier moves it little: it is cut to six spreads. If it was no outlier,
 * the spread grows with each, and the mean follows within a few.
 */
export function learn(known: Estimate | undefined, observed: number): Estimate {
  if (known === undefined) return { n: 1, mean: observed, spread: firstSpread };
  const { n, mean, spread } = known;
  const limit = n < robustFrom ? Number.POSITIVE_INFINITY : Math.max(6 * spread, 0.4);
  const distance = Math.max(-limit, Math.min(limit, observed - mean));
  const step = Math.max(1 / (n + 1), leastStep);
  return {
    n: n + 1,
    mean: mean + step * distance,
    spread: Math.max(leastSpread, spread + step * (Math.abs(distance) - spread)),
  };
}
