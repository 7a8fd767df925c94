import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { makeBackup } from './make-backup.ts';
import type { BackupSettings } from './make-backup.ts';

export interface Output {
  /** What a script takes. */
  stdout: { write(text: string): unknown };
  /** What people read. */
  stderr: { write(text: string): unknown };
}

/** The text of `--help`. */
export const backupUsage = `usage: comfy-bridge backup <folder|file.tar>
`;

/** `comfy-bridge backup …`: copies what the bridge of these settings keeps, also while it runs. The exit code. */
export async function runBackupCommand(
  args: readonly string[],
  settings: BackupSettings,
  output: Output,
  now: () => number = Date.now,
): Promise<number> {
  try {
    const [target, ...rest] = parseArgs({
      args: [...args],
      allowPositionals: true,
      strict: true,
    }).positionals;
    if (target === undefined || rest.length > 0) throw new Error(backupUsage);
    const made = resolve(target);
    const { names, files, bytes, lost } = await makeBackup(settings, made, now());
    output.stderr.write(
      `Backed up ${count(names.jobs, 'job')} (${names.waiting} waiting, ${names.running.size} running), ${count(files, 'file')}, ${toMegabytes(bytes)}.\n`,
    );
    if (lost.length > 0)
      output.stderr.write(
        `warning: ${count(lost.length, 'file')} that jobs name had been removed before: ${lost.slice(0, 5).join(', ')}\n`,
      );
    output.stderr.write(
      'It holds prompts, uploads, results and the tokens of machines: keep it as you keep the data directory. Settings (.env, config.json) are not in it.\n',
    );
    output.stdout.write(`${made}\n`);
    return 0;
  } catch (error) {
    output.stderr.write(`${describeError(error)}\n`);
    return 1;
  }
}

export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

export function describeError(error: unknown): string {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  if (code === 'ENOSPC') return 'the disk is full';
  if (code === 'EACCES' || code === 'EPERM')
    return `${error instanceof Error ? error.message : ''}: run it as the user of the bridge`;
  return error instanceof Error ? error.message.trimEnd() : String(error);
}

function toMegabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MB`;
}
