import { createBridge } from '../../bridge.ts';
import { loadConfig } from '../../config/parse-config.ts';
import type { Environment } from '../../config/sources.ts';
import { createLogger } from '../../logging.ts';
import { CliError, exitCodes } from '../cli-error.ts';
import type { Command } from '../command-spec.ts';

/** The bridge, until SIGINT or SIGTERM: settings → bridge → signals → exit code. Rejects with what to do when it cannot start. */
export async function start({ isInsecure }: { isInsecure: boolean }): Promise<number> {
  const env: Environment = isInsecure ? { ...process.env, INSECURE: 'on' } : process.env;
  const loaded = await loadConfig({ env, cwd: process.cwd() });
  for (const warning of loaded.warnings) process.stderr.write(`warning: ${warning}\n`);
  if (!loaded.ok) throw new CliError(exitCodes.failed, loaded.problems.join('\n'));
  const { config } = loaded;
  const log = createLogger(config.logging);
  const stop = Promise.withResolvers<NodeJS.Signals>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.resolve(signal));

  try {
    await using bridge = await createBridge(config, { log });
    log.info({ url: bridge.url, backends: config.backends.servers.length }, 'bridge listening');
    const signal = await stop.promise;
    log.info({ signal }, 'bridge stopping');
    // If closing hangs on something unforeseen, the process still ends; the timer alone does not keep it alive.
    setTimeout(() => process.exit(1), config.server.shutdownTimeoutMs + 2_000).unref();
    await bridge.close();
    return exitCodes.ok;
  } catch (error) {
    throw new CliError(exitCodes.failed, describeStartError(error), { cause: error });
  }
}

/** `comfy-bridge start`, after its options were read. */
export const startFromCli: Command = ({ options }) => start({ isInsecure: options.flag('insecure') });

/** Why it could not start, and what to do. */
export function describeStartError(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE')
    return 'the port is taken by another program: stop that one, or set PORT to another number';
  if (code === 'EACCES')
    return 'no right to use this port or folder: choose a PORT above 1023 and a writable DATA_DIR';
  if (code === 'EADDRNOTAVAIL') return 'HOST is not an address of this machine';
  return error instanceof Error ? error.message : String(error);
}
