/** Lets those who line up under one key pass in the order in which they came. */
export interface Turn {
  /** Resolves when everybody who came before is done. */
  wait(): Promise<void>;
  /** Lets the next one pass. Safe to call again. */
  done(): void;
}

export interface Turns {
  take(key: string): Turn;
}

export function createTurns(): Turns {
  const last = new Map<string, Promise<void>>();
  return {
    take(key) {
      const before = last.get(key) ?? Promise.resolve();
      const { promise, resolve } = Promise.withResolvers<void>();
      const mine = before.then(() => promise);
      last.set(key, mine);
      void mine.then(() => {
        if (last.get(key) === mine) last.delete(key);
      });
      return { wait: () => before, done: resolve };
    },
  };
}
