import { CommanderError } from 'commander';

import { buildProgram } from './build-program.ts';
import { findNearest } from '../lib/find-nearest.ts';
import { CliError, exitCodes, usageError } from './cli-error.ts';
import type { CliHost } from './cli-host.ts';
import { toPlainLines } from './display-width.ts';
import { commandTable } from './command-table.ts';
import { isDataCommand, runDataCommand } from './commands/data-commands.ts';

/** The command line; resolves to the exit code. What goes wrong has been told on stderr by then. */
export async function runCli(args: readonly string[], host: CliHost): Promise<number> {
  try {
    const [first] = args;
    if (isDataCommand(first)) return await runDataCommand(first, args.slice(1), host);
    if (first === 'complete-words') {
      const { completeWords } = await import('./completion/complete-words.ts');
      return await completeWords(args.slice(1), host);
    }
    if (first === '--help' || first === '-h' || first === 'help' || first === undefined)
      return await printHelp(host);
    if (first === '--version' || first === '-V') return await printVersion(host);
    // The settings are what there is to know of a start.
    const isStart = first === '--insecure' || first === 'start';
    if (isStart && (args.includes('--help') || args.includes('-h'))) return await printHelp(host);
    const ordered = putSharedOptionsLast(args);
    checkVerb(ordered);
    return await buildProgram(host).run(ordered);
  } catch (error) {
    return tell(error, host);
  }
}

/** `--url … jobs` means `jobs --url …`. */
function putSharedOptionsLast(args: readonly string[]): string[] {
  const [first = '', second, ...rest] = args;
  if (first === '--json') return [...putSharedOptionsLast(args.slice(1)), first];
  if (/^--(url|key-file)=/.test(first)) return [...putSharedOptionsLast(args.slice(1)), first];
  if ((first === '--url' || first === '--key-file') && second !== undefined)
    return [...putSharedOptionsLast(rest), first, second];
  return [...args];
}

/** A group alone means one of its verbs, which would take a wrong verb for an argument of its own. */
function checkVerb([group = '', verb]: readonly string[]): void {
  const verbs = commandTable
    .filter(({ name }) => name.startsWith(`${group} `))
    .map(({ name }) => name.slice(group.length + 1));
  if (verbs.length === 0 || verb === undefined || verb.startsWith('-') || verbs.includes(verb)) return;
  const nearest = findNearest(verb, verbs, (text) => text.toLowerCase());
  const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
  throw usageError(`there is no ${group} ${verb}, but ${verbs.join(', ')}${hint}`);
}

async function printHelp(host: CliHost): Promise<number> {
  const [{ renderHelp }, { version }] = await Promise.all([
    import('../config/render-help.ts'),
    import('../version.ts'),
  ]);
  host.stdout.write(renderHelp(version, buildProgram(host).help()));
  return exitCodes.ok;
}

async function printVersion({ stdout }: CliHost): Promise<number> {
  const { version } = await import('../version.ts');
  stdout.write(`${version}\n`);
  return exitCodes.ok;
}

function tell(error: unknown, { stderr }: CliHost): number {
  // It has written its message itself.
  if (error instanceof CommanderError)
    return error.code === 'commander.helpDisplayed' ? exitCodes.ok : exitCodes.usage;
  stderr.write(`${toPlainLines(error instanceof Error ? error.message : String(error))}\n`);
  return error instanceof CliError ? error.exitCode : exitCodes.failed;
}
