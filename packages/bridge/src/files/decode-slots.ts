import { createDeferred } from '../lib/deferred.ts';

/** Lets work through while the sum of its weights fits; the rest waits its turn, first come first served. */
export interface DecodeSlots {
  run<T>(weight: number, work: () => Promise<T>): Promise<T>;
}

/** `capacity`: the sum of weights at a time; heavier work runs alone. `atOnce`: how many at a time whatever they weigh. */
export function createDecodeSlots({ capacity, atOnce }: { capacity: number; atOnce: number }): DecodeSlots {
  const waiting: { weight: number; start: () => void }[] = [];
  let used = 0;
  let running = 0;

  function startNext(): void {
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      if (running >= atOnce || (running > 0 && used + next.weight > capacity)) return;
      waiting.shift();
      used += next.weight;
      running += 1;
      next.start();
    }
  }

  return {
    async run(weight, work) {
      const turn = createDeferred();
      waiting.push({ weight, start: turn.resolve });
      startNext();
      await turn.promise;
      try {
        return await work();
      } finally {
        used -= weight;
        running -= 1;
        startNext();
      }
    },
  };
}
