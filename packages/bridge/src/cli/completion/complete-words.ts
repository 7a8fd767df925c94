import { exitCodes } from '../cli-error.ts';
import type { CliHost } from '../cli-host.ts';
import { toPlainText } from '../display-width.ts';
import { findPosition } from './find-position.ts';
import { offerNames } from './offer-names.ts';

/**
 * What the scripts of the shells call: the words after `comfy-bridge`, of which the last is the one to complete. Prints a line
 * for each candidate, with a tab before its description; `:file` where paths are meant too. Silent when it cannot help.
 */
export async function completeWords(args: readonly string[], host: CliHost): Promise<number> {
  const words = args[0] === '--' ? args.slice(1) : args;
  const position = findPosition(words);
  const { current, prefix, candidates, kind } = position;
  const offered = [...candidates];
  const asked = await offerNames(host, position).catch(() => []);
  for (const candidate of [...offered, ...asked]) {
    const value = `${prefix}${candidate.value}`;
    // A name with a control character in it cannot be typed either.
    if (!value.startsWith(current) || toPlainText(value) !== value) continue;
    host.stdout.write(`${value}\t${toPlainText(candidate.description)}\n`);
  }
  if (kind === 'file' || kind === 'folder') host.stdout.write(':file\n');
  return exitCodes.ok;
}
