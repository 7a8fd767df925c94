import type { BridgeConfig } from '../../config/bridge-config.ts';
import { loadConfig } from '../../config/parse-config.ts';
import { exitCodes } from '../cli-error.ts';
import type { CliHost } from '../cli-host.ts';

type Run = (args: readonly string[], config: BridgeConfig, output: CliHost) => Promise<number>;

/** Commands on the data directory of the settings, with no bridge asked. They read their own arguments, and exit with 0 or 1. */
const commands = {
  async keys() {
    const { keysUsage, runKeysCommand } = await import('../../keys-command.ts');
    return { usage: keysUsage, run: runKeysCommand };
  },
  async backup() {
    const { backupUsage, runBackupCommand } = await import('../../backup/backup-command.ts');
    return { usage: backupUsage, run: runBackupCommand };
  },
  async restore() {
    const { restoreUsage, runRestoreCommand } = await import('../../backup/restore-command.ts');
    return { usage: restoreUsage, run: runRestoreCommand };
  },
} satisfies Record<string, () => Promise<{ usage: string; run: Run }>>;

export type DataCommand = keyof typeof commands;

export function isDataCommand(name: string | undefined): name is DataCommand {
  return name !== undefined && Object.hasOwn(commands, name);
}

/** `comfy-bridge keys …` and its like; the exit code. */
export async function runDataCommand(
  name: DataCommand,
  args: readonly string[],
  host: CliHost,
): Promise<number> {
  const { usage, run } = await commands[name]();
  if (args.includes('--help') || args.includes('-h')) {
    host.stdout.write(usage);
    return exitCodes.ok;
  }
  const loaded = await loadConfig(host);
  for (const warning of loaded.warnings) host.stderr.write(`warning: ${warning}\n`);
  if (loaded.ok) return run(args, loaded.config, host);
  host.stderr.write(`${loaded.problems.join('\n')}\n`);
  return exitCodes.failed;
}
