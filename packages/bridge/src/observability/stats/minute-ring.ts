/** What happened in each of the last minutes, and no more memory than that takes. */
export interface MinuteRing<K extends string> {
  note(what: K): void;
  /** Over the last so many minutes, the one under way included. */
  sum(minutes: number): Record<K, number>;
  /** Of each of the last so many minutes, oldest first; the last one is not over. */
  perMinute(what: K, minutes: number): number[];
}

const minuteMs = 60_000;

export function createMinuteRing<const K extends string>(
  kinds: readonly K[],
  { minutes: size, now }: { minutes: number; now: () => number },
): MinuteRing<K> {
  /** Which minute a place holds, by its number since the epoch. */
  const held = new Float64Array(size).fill(-1);
  const counts = new Map(kinds.map((kind) => [kind, new Uint32Array(size)]));
  const minuteNow = () => Math.floor(now() / minuteMs);

  function placeOf(minute: number): number {
    const place = minute % size;
    if (held[place] === minute) return place;
    held[place] = minute;
    for (const column of counts.values()) column[place] = 0;
    return place;
  }

  function read(what: K, minute: number): number {
    const place = minute % size;
    return held[place] === minute ? (counts.get(what)?.[place] ?? 0) : 0;
  }

  function perMinute(what: K, minutes: number): number[] {
    const last = minuteNow();
    return Array.from({ length: minutes }, (_, index) => read(what, last - minutes + 1 + index));
  }

  return {
    note(what) {
      const column = counts.get(what);
      const place = placeOf(minuteNow());
      if (column !== undefined) column[place] = (column[place] ?? 0) + 1;
    },
    sum(minutes) {
      const sums = kinds.map((kind) => [kind, perMinute(kind, minutes).reduce((a, b) => a + b, 0)] as const);
      return Object.fromEntries(sums) as Record<K, number>;
    },
    perMinute,
  };
}
