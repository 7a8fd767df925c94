import { setTimeout as delay } from 'node:timers/promises';

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
  let nap = new AbortController();
  return {
    signal: stopped.signal,
    shouldRun: () => !stopped.signal.aborted,
    async sleep(ms) {
      if (stopped.signal.aborted) return;
      nap = new AbortController();
      const { signal } = nap;
      await delay(ms, undefined, { signal, ref: false }).catch(() => {});
    },
    wake: () => nap.abort(),
    stop() {
      stopped.abort();
      nap.abort();
    },
  };
}
