import { expect } from 'vitest';

/** Looks again until it is as expected: ten seconds, as a busy machine draws slowly. */
export function eventually<Value>(look: () => Value | Promise<Value>) {
  return expect.poll(look, { timeout: 10_000, interval: 40 });
}
