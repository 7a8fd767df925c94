import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Calls `visit` for each of many items, `size` of them per turn of the event loop, so that what else goes on comes in between.
 * Items that come or go meanwhile are visited or not as the iterable does it. Aborting `signal` ends it.
 */
export async function visitInSlices<T>(
  items: Iterable<T>,
  visit: (item: T) => void,
  { size, signal }: { size: number; signal: AbortSignal },
): Promise<void> {
  let visited = 0;
  for (const item of items) {
    if (signal.aborted) return;
    visit(item);
    visited += 1;
    if (visited % size === 0) await nextTurn();
  }
}
