import { setImmediate as turn } from 'node:timers/promises';

/** A clock that stands still until it is told to go, with its timers. */
export function createVirtualTime(start = Date.UTC(2030, 0, 1)) {
  let time = start;
  const timers = new Set<{ at: number; run: () => void }>();

  return {
    now: () => time,
    startTimer(ms: number, run: () => void): () => void {
      const timer = { at: time + ms, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    timers: () => timers.size,
    /** Goes on by `ms`, stopping at every timer on the way and letting what it starts come to rest. */
    async advance(ms: number): Promise<void> {
      const end = time + ms;
      await rest();
      for (;;) {
        const next = [...timers].toSorted((a, b) => a.at - b.at)[0];
        if (next === undefined || next.at > end) break;
        timers.delete(next);
        time = next.at;
        next.run();
        await rest();
      }
      time = end;
    },
  };
}

/** Lets promises that need no outside help settle. */
export async function rest(): Promise<void> {
  for (let turns = 0; turns < 5; turns += 1) await turn();
}
