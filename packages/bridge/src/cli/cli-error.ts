/** Exit codes of every command but those on the data directory (`keys`, `backup`, `restore`), which have only 0 and 1. docs/cli.md lists them. */
export const exitCodes = {
  ok: 0,
  /** A job that failed, settings that are wrong, a doctor that found something, a file that cannot be read or written. */
  failed: 1,
  /** The command line itself is wrong. */
  usage: 2,
  /** A bridge answered, and refused it. */
  refused: 3,
  /** No bridge answers there. */
  unreachable: 4,
  /** It takes longer than `--timeout`. */
  timedOut: 5,
  /** Ctrl-C: 128 and the number of the signal, as shells have it. */
  interrupted: 130,
  /** SIGTERM */
  terminated: 143,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** What ends a command. The message goes to stderr and says what to do. */
export class CliError extends Error {
  override name = 'CliError';
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

export function usageError(message: string): CliError {
  return new CliError(exitCodes.usage, message);
}
