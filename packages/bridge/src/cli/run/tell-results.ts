import type { Output } from '@comfy-bridge/client';

import { isRecord } from '../../lib/is-record.ts';
import { CliError, exitCodes } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { toPlainText } from '../display-width.ts';
import { saveOutputs } from './save-outputs.ts';
import type { WaitOptions } from './wait-options.ts';

export interface Results {
  outputs: readonly Output[];
  wait: WaitOptions;
  signal: AbortSignal;
  /** The command that fetches them again. */
  retryHint: string;
  /** The job or the batch as the bridge describes it. */
  readRaw(): Promise<unknown>;
}

/** Saves what a job made where that is wanted, and prints the paths, or else the links. The exit code. */
export async function tellResults(
  { host, print }: CommandContext,
  { outputs, wait, signal, retryHint, readRaw }: Results,
): Promise<number> {
  const { target, isForced } = wait;
  if (target === undefined) {
    print.result(print.isJson ? await readRaw() : undefined, () =>
      outputs.map(({ url }) => `${toPlainText(url)}\n`).join(''),
    );
    if (!print.isJson && outputs.length > 0) print.note('Save them with -o and a folder or file.');
    return exitCodes.ok;
  }
  // Before they are fetched: the job as it is, with its links.
  const raw = print.isJson ? await readRaw() : undefined;
  const saved = await saveOutputs(host, outputs, { target, isForced, signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    const hint = `The results are kept for a while: comfy-bridge ${retryHint} -o … fetches them.`;
    const code = error instanceof CliError ? error.exitCode : exitCodes.failed;
    throw new CliError(code, `${reason}\n${hint}`, { cause: error });
  });
  if (outputs.length === 0) print.note('It made nothing that can be saved.');
  print.result(isRecord(raw) ? { ...raw, saved } : raw, () => saved.map(({ path }) => `${path}\n`).join(''));
  return exitCodes.ok;
}
