#!/usr/bin/env node
import { hostOfProcess } from './cli/cli-host.ts';

/** The process: arguments → command → exit code. A start loads nothing of the other commands. */
async function main(args: readonly string[]): Promise<number> {
  // Whoever reads the other end of a pipe may have enough of it, as `head` has.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', leaveWhenNobodyReads);
  const [first, ...rest] = args;
  const isStart = first === undefined || (args.length === 1 && (first === 'start' || first === '--insecure'));
  const isInsecureStart = first === 'start' && rest.length === 1 && rest[0] === '--insecure';
  try {
    if (isStart || isInsecureStart) {
      const { start } = await import('./cli/commands/start.ts');
      return await start({ isInsecure: args.includes('--insecure') });
    }
    const { runCli } = await import('./cli/run-cli.ts');
    return await runCli(args, hostOfProcess());
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

function leaveWhenNobodyReads(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
}

process.exitCode = await main(process.argv.slice(2));
