/** Runs what shares a key one after the other; what does not, at once. Forgets keys that nobody waits for. */
export interface KeyedMutex {
  run<T>(key: string, work: () => Promise<T>): Promise<T>;
  /** Resolves when nothing is under way, however it ended. */
  idle(): Promise<void>;
}

export function createKeyedMutex(): KeyedMutex {
  const tails = new Map<string, Promise<unknown>>();
  return {
    async idle() {
      while (tails.size > 0) await Promise.all(tails.values());
    },
    async run(key, work) {
      const before = tails.get(key);
      const turn = before === undefined ? work() : before.then(work);
      const tail = turn.catch(() => {});
      tails.set(key, tail);
      try {
        return await turn;
      } finally {
        if (tails.get(key) === tail) tails.delete(key);
      }
    },
  };
}
