/**
 * Keeps retries from becoming the load that breaks the rest of a failing fleet: every new job earns a fraction of a retry,
 * a retry costs one, and a small reserve covers a quiet system. Pure of clocks.
 */
export interface RetryBudget {
  /** A new job was accepted. */
  earn(): void;
  /** True, and spent, when a retry is affordable. */
  spend(): boolean;
}

export function createRetryBudget({
  perJob = 0.5,
  reserve = 50,
}: { perJob?: number; reserve?: number } = {}): RetryBudget {
  let tokens = reserve;
  const most = reserve * 4;
  return {
    earn() {
      tokens = Math.min(most, tokens + perJob);
    },
    spend() {
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}
