/** Resolves after `ms`; rejects with the reason of the signal as soon as that is aborted. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout>;
  const slept = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  return orAbort(slept, signal).finally(() => clearTimeout(timer));
}

/** `promise`, unless the signal is aborted before: then its reason, at once. What becomes of `promise` is not awaited. */
export function orAbort<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const stop = onAbort(signal, () => reject(signal.reason));
    promise.then(resolve, reject).finally(stop);
  });
}

/** Calls `listener` when the signal is aborted, or now if it is already; returns how to stop that. */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  if (signal?.aborted) listener();
  else signal?.addEventListener('abort', listener, { once: true });
  return () => signal?.removeEventListener('abort', listener);
}

/** Milliseconds before try number `failures` + 1: doubled each time up to ten seconds, and never in step with other clients. */
export function backOff(failures: number, retryAfter = 0): number {
  return Math.max(retryAfter * 1000, Math.min(10_000, 250 * 2 ** failures) * (0.5 + Math.random() / 2));
}

/** `work` on every item, at most `limit` at a time, results in order. Of those under way when one fails nothing is awaited. */
export async function mapLimited<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const rest = items.entries();
  async function next(): Promise<void> {
    for (const [index, item] of rest) results[index] = await work(item);
  }
  await Promise.all(Array.from({ length: limit }, next));
  return results;
}
