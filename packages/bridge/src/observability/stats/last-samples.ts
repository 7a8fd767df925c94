/** The last so many measurements of something, ms. */
export interface LastSamples {
  add(ms: number): void;
  readonly count: number;
  /** 0.5: the median; null without a measurement. */
  quantile(share: number): number | null;
}

export function createLastSamples({ size = 200 }: { size?: number } = {}): LastSamples {
  const samples: number[] = [];
  let next = 0;
  return {
    add(ms) {
      samples[next] = ms;
      next = (next + 1) % size;
    },
    get count() {
      return samples.length;
    },
    quantile(share) {
      const sorted = samples.toSorted((a, b) => a - b);
      return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? null;
    },
  };
}
