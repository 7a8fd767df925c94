#!/usr/bin/env node
import { createBridge } from './bridge.ts';
import { loadConfig } from './config/parse-config.ts';
import { renderHelp } from './config/render-help.ts';
import { runKeysCommand } from './keys-command.ts';
import { createLogger } from './logging.ts';
import { version } from './version.ts';

/** The process: arguments → settings → bridge → signals → exit code. */
async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(renderHelp(version));
    return 0;
  }
  if (args.includes('--version')) {
    process.stdout.write(`${version}\n`);
    return 0;
  }
  const isInsecure = args[0] === '--insecure';
  if (args[0] !== undefined && args[0] !== 'keys' && !isInsecure)
    return fail(`unknown argument ${args[0]}: settings are environment variables, see --help`);

  const env = isInsecure ? { ...process.env, INSECURE: 'on' } : process.env;
  const loaded = await loadConfig({ env, cwd: process.cwd() });
  for (const warning of loaded.warnings) process.stderr.write(`warning: ${warning}\n`);
  if (!loaded.ok) return fail(loaded.problems.join('\n'));
  const { config } = loaded;
  if (args[0] === 'keys') return await runKeysCommand(args.slice(1), config, process);
  const log = createLogger(config.logging);
  const stop = Promise.withResolvers<NodeJS.Signals>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.resolve(signal));

  await using bridge = await createBridge(config, { log });
  log.info({ url: bridge.url, backends: config.backends.servers.length }, 'bridge listening');
  const signal = await stop.promise;
  log.info({ signal }, 'bridge stopping');
  // If closing hangs on something unforeseen, the process still ends; the timer alone does not keep it alive.
  setTimeout(() => process.exit(1), config.server.shutdownTimeoutMs + 2_000).unref();
  await bridge.close();
  return 0;
}

function fail(message: string): number {
  process.stderr.write(`${message}\n`);
  return 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = fail(describeStartError(error));
}

function describeStartError(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE')
    return 'the port is taken by another program: stop that one, or set PORT to another number';
  if (code === 'EACCES')
    return 'no right to use this port or folder: choose a PORT above 1023 and a writable DATA_DIR';
  if (code === 'EADDRNOTAVAIL') return 'HOST is not an address of this machine';
  return error instanceof Error ? error.message : String(error);
}
