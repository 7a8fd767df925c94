import { CliError, exitCodes } from '../cli-error.ts';

export interface Interrupts extends Disposable {
  /** Aborted at the first Ctrl-C or SIGTERM, with a `CliError` as its reason. */
  readonly signal: AbortSignal;
}

/** From now on the first Ctrl-C is a request, and the second ends the process at once. */
export function watchInterrupts(): Interrupts {
  const controller = new AbortController();
  function ask(signal: NodeJS.Signals): void {
    const exitCode = signal === 'SIGTERM' ? exitCodes.terminated : exitCodes.interrupted;
    if (controller.signal.aborted) process.exit(exitCode);
    controller.abort(new CliError(exitCode, 'interrupted'));
  }
  process.on('SIGINT', ask).on('SIGTERM', ask);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => void process.off('SIGINT', ask).off('SIGTERM', ask),
  };
}
