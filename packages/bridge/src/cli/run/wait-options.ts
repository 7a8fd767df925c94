import { usageError } from '../cli-error.ts';
import type { CliHost } from '../cli-host.ts';
import type { GivenOptions } from '../command-context.ts';
import { checkTarget, readTarget } from './save-outputs.ts';
import type { Target } from './save-outputs.ts';

/** How long to wait, and where results go. */
export interface WaitOptions {
  target: Target | undefined;
  isForced: boolean;
  timeoutMs: number | undefined;
}

/** Reads `--output`, `--force` and `--timeout`. Throws a `CliError`, also when a file is in the way. */
export async function readWaitOptions(host: CliHost, options: GivenOptions): Promise<WaitOptions> {
  const given = options.text('output');
  const isForced = options.flag('force');
  if (given === undefined && isForced) throw usageError('--force goes with --output');
  const target = given === undefined ? undefined : await readTarget(host, given);
  if (target?.kind === 'stdout' && options.flag('json'))
    throw usageError('standard output takes the results or the JSON, and not both');
  if (target?.kind === 'stdout' && host.stdout.isTTY === true)
    throw usageError('a terminal cannot show the results: -o - is for a pipe or a file');
  if (target !== undefined) await checkTarget(target, { isForced });
  return { target, isForced, timeoutMs: readTimeout(options) };
}

function readTimeout(options: GivenOptions): number | undefined {
  const text = options.text('timeout');
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || seconds <= 0 || seconds > 2_000_000)
    throw usageError('--timeout is a number of seconds such as 90');
  return seconds * 1000;
}
