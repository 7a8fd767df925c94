import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { runBackupCommand } from '../src/backup/backup-command.ts';
import { parseManifest } from '../src/backup/manifest.ts';
import type { Manifest } from '../src/backup/manifest.ts';
import { runRestoreCommand } from '../src/backup/restore-command.ts';
import { parseConfig } from '../src/config/parse-config.ts';

const commands = { backup: runBackupCommand, restore: runRestoreCommand };

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** As in a shell, with these settings: what it prints, and the exit code. */
export async function runCommand(
  name: keyof typeof commands,
  args: readonly string[],
  env: Record<string, string>,
): Promise<Ran> {
  const parsed = parseConfig({ cwd: tmpdir(), env });
  if (!parsed.ok) throw new Error(parsed.problems.join('\n'));
  const printed = { stdout: '', stderr: '' };
  const code = await commands[name](args, parsed.config, {
    stdout: { write: (text) => (printed.stdout += text) },
    stderr: { write: (text) => (printed.stderr += text) },
  });
  return { code, ...printed };
}

/** A place for backups and for what is made of them. */
export async function temporaryPlace() {
  const root = await mkdtemp(join(tmpdir(), 'bridge-backup-'));
  return {
    path: (name: string) => join(root, name),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

export async function readManifest(backup: string): Promise<Manifest> {
  const manifest = parseManifest(await readFile(join(backup, 'manifest.json'), 'utf8'));
  if (manifest === undefined) throw new Error('the manifest cannot be read');
  return manifest;
}
