/** A promise with its settling functions, for one-shot hand-overs between callbacks and `await`. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

export function createDeferred<T = void>(): Deferred<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  // Nobody may be listening yet when it rejects; that alone must not bring the process down.
  promise.catch(() => {});
  return { promise, resolve, reject };
}
