import { ComfyError } from './comfy-error.ts';

export interface Deadline extends Disposable {
  /** Aborts with a `ComfyError`: `timeout` when the time is over, `aborted` when the caller gave up. */
  readonly signal: AbortSignal;
  /** Starts the time again from now. */
  refresh(): void;
  /** Ends the time limit but keeps listening to the caller. */
  clearTimer(): void;
}

/** One call's time limit joined with its caller's signal. Dispose it when the call is over. */
export function startDeadline(label: string, ms: number, caller?: AbortSignal): Deadline {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(new ComfyError('timeout', `${label}: no answer within ${ms} ms`));
  }, ms);
  const giveUp = (): void => {
    // A caller's own time limit (`AbortSignal.timeout`) is a time-out too.
    const cause: unknown = caller?.reason;
    const late = cause instanceof Error && cause.name === 'TimeoutError';
    controller.abort(new ComfyError(late ? 'timeout' : 'aborted', `${label}: given up`, { cause }));
  };
  if (caller?.aborted === true) giveUp();
  caller?.addEventListener('abort', giveUp, { once: true });
  return {
    signal: controller.signal,
    refresh: () => timer.refresh(),
    clearTimer: () => clearTimeout(timer),
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      caller?.removeEventListener('abort', giveUp);
    },
  };
}
