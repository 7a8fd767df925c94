/** The newest value of each of many things, given out at most once in a while for each. */
export interface NewestOfEach<K, V> {
  put(key: K, value: V): void;
  remove(key: K): void;
  /** Gives out what may be told now. True when more is left for later. */
  give(now: number, tell: (value: V) => void): boolean;
  clear(): void;
}

export function createNewestOfEach<K, V>({ gapMs }: { gapMs: number }): NewestOfEach<K, V> {
  const newest = new Map<K, V>();
  const toldAt = new Map<K, number>();
  return {
    put: (key, value) => void newest.set(key, value),
    remove(key) {
      newest.delete(key);
      toldAt.delete(key);
    },
    give(now, tell) {
      for (const [key, value] of newest) {
        if (now - (toldAt.get(key) ?? -Infinity) < gapMs) continue;
        toldAt.set(key, now);
        newest.delete(key);
        tell(value);
      }
      return newest.size > 0;
    },
    clear() {
      newest.clear();
      toldAt.clear();
    },
  };
}
