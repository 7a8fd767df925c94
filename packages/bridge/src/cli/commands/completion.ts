import { completionScripts } from '../completion/scripts.ts';
import { exitCodes, usageError } from '../cli-error.ts';
import type { Command } from '../command-spec.ts';

/** `completion bash|zsh|fish`. */
export const printCompletion: Command = async ({ args, print }) => {
  const [shell] = args;
  if (shell !== 'bash' && shell !== 'zsh' && shell !== 'fish')
    throw usageError('a shell is bash, zsh or fish');
  print.text(completionScripts[shell]);
  return exitCodes.ok;
};
