import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { count, describeError } from './backup-command.ts';
import type { Output } from './backup-command.ts';
import type { BackupSettings } from './make-backup.ts';
import { checkBackup, restoreBackup } from './restore-backup.ts';

/** The text of `--help`. */
export const restoreUsage = `usage: comfy-bridge restore [--replace-workflows] <folder|file.tar>
       comfy-bridge restore --check <folder|file.tar>
`;

/** `comfy-bridge restore …`: puts a backup into the empty data directory of these settings, or only checks it. The exit code. */
export async function runRestoreCommand(
  args: readonly string[],
  settings: BackupSettings,
  output: Output,
  now: () => number = Date.now,
): Promise<number> {
  try {
    const { positionals, values } = parseArgs({
      args: [...args],
      options: { check: { type: 'boolean' }, 'replace-workflows': { type: 'boolean' } },
      allowPositionals: true,
      strict: true,
    });
    const [source, ...rest] = positionals;
    if (source === undefined || rest.length > 0) throw new Error(restoreUsage);
    if (values.check === true) await check(resolve(source), output);
    else {
      const replacesWorkflows = values['replace-workflows'] === true;
      await restore(resolve(source), settings, output, { now: now(), replacesWorkflows });
    }
    return 0;
  } catch (error) {
    output.stderr.write(`${describeError(error)}\n`);
    return 1;
  }
}

async function check(source: string, output: Output): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'comfy-bridge-check-'));
  try {
    const { files, made_at, bridge } = await checkBackup(source, work);
    output.stderr.write(
      `The backup of ${made_at} is whole: ${count(files.length, 'file')}, bridge ${bridge}.\n`,
    );
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function restore(
  source: string,
  settings: BackupSettings,
  output: Output,
  options: { now: number; replacesWorkflows: boolean },
): Promise<void> {
  const { manifest, names, overdue, hasWorkflows } = await restoreBackup(settings, source, options);
  const say = (text: string) => void output.stderr.write(`${text}\n`);
  say(
    `Restored ${count(names.jobs, 'job')} (${names.waiting} waiting, ${names.running.size} running), ${count(manifest.files.length, 'file')}, as of ${manifest.made_at}.`,
  );
  if (names.running.size + names.waiting > 0)
    say(
      'The bridge goes on with them when it starts: prompts that ran are looked for on their machines, or run again. The bridge that the backup is of must not run any more.',
    );
  if (overdue > 0)
    say(
      `warning: the results of ${count(overdue, 'job')} are older than RESULT_TTL_HOURS: the first start removes them, unless it is raised before.`,
    );
  if (!hasWorkflows)
    say(
      `warning: ${settings.workflows.dir} has files and is left as it is; those of the backup lie in its "workflows" (--replace-workflows puts them there).`,
    );
  output.stdout.write(`${settings.files.dataDir}\n`);
}
