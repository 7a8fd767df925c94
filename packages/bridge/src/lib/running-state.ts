/** The life of a background loop: sleeps that end at once when it is stopped or woken. */
export interface RunningState {
  readonly signal: AbortSignal;
  shouldRun(): boolean;
  /** Resolves after `ms`, or at `wake()`, or at `stop()`; never rejects. */
  sleep(ms: number): Promise<void>;
  wake(): void;
  stop(): void;
}

export function createRunningState(): RunningState {
  const stopped = new AbortController();
  let endNap: (() => void) | undefined;

  // Every job sleeps and is woken several times: a timer costs a tenth of one that listens to an `AbortSignal`.
  function nap(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(end, ms).unref();
    function end(): void {
      clearTimeout(timer);
      if (endNap === end) endNap = undefined;
      resolve();
    }
    endNap = end;
    return promise;
  }

  return {
    signal: stopped.signal,
    shouldRun: () => !stopped.signal.aborted,
    sleep: (ms) => (stopped.signal.aborted ? Promise.resolve() : nap(ms)),
    wake: () => endNap?.(),
    stop() {
      // A reason of its own spares an error with its stack.
      stopped.abort('stopped');
      endNap?.();
    },
  };
}
