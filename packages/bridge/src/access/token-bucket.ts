/** What is left of a quota. */
export interface Quota {
  ok: boolean;
  /** Of so many per window, in whole tokens. */
  limit: number;
  remaining: number;
  /** Seconds until there is one more. */
  resetSeconds: number;
}

/** Token buckets by name: each holds what may come in one window, and fills up evenly. */
export interface TokenBuckets {
  /** Takes one token, if there is one. */
  take(name: string, limit: number): Quota;
  /** The same without taking any. */
  look(name: string, limit: number): Quota;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** Thirds of a token add up to a little less than one. */
const rounding = 1e-6;

/** Names that are remembered: an attacker may think of any number. The one that was asked for least lately goes first. */
const maxBuckets = 20_000;

export function createTokenBuckets({ now, windowMs }: { now: () => number; windowMs: number }): TokenBuckets {
  const buckets = new Map<string, Bucket>();

  function fill(name: string, limit: number): Bucket {
    const bucket = buckets.get(name) ?? { tokens: limit, at: now() };
    // A clock that was set back fills nothing.
    const came = (Math.max(0, now() - bucket.at) / windowMs) * limit;
    return { tokens: Math.min(limit, bucket.tokens + came), at: now() };
  }

  function describe({ tokens }: Bucket, limit: number, ok: boolean): Quota {
    const missing = tokens >= limit ? 0 : 1 - (tokens % 1);
    const resetSeconds = Math.ceil((missing / limit) * (windowMs / 1000) - rounding);
    return { ok, limit, remaining: Math.max(0, Math.floor(tokens)), resetSeconds };
  }

  return {
    take(name, limit) {
      const bucket = fill(name, limit);
      const ok = bucket.tokens >= 1 - rounding;
      if (ok) bucket.tokens -= 1;
      buckets.delete(name);
      buckets.set(name, bucket);
      const [oldest] = buckets.keys();
      if (buckets.size > maxBuckets && oldest !== undefined) buckets.delete(oldest);
      return describe(bucket, limit, ok);
    },
    look(name, limit) {
      const bucket = fill(name, limit);
      return describe(bucket, limit, bucket.tokens >= 1 - rounding);
    },
  };
}
