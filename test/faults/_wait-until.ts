import { setTimeout as delay } from 'node:timers/promises';

export interface WaitOptions {
  withinMs?: number;
  everyMs?: number;
}

/** Asks again and again until the answer is neither false nor undefined; rejects at the deadline, saying what it wanted. */
export async function waitUntil<T>(
  what: string,
  look: () => T | Promise<T>,
  { withinMs = 10_000, everyMs = 20 }: WaitOptions = {},
): Promise<Exclude<T, false | undefined>> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== false && found !== undefined) return found as Exclude<T, false | undefined>;
    if (performance.now() > deadline) throw new Error(`waited ${withinMs} ms for ${what}`);
    await delay(everyMs);
  }
}
