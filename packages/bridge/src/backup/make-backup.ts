import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import type { BridgeConfig } from '../config/bridge-config.ts';
import type { FileKey } from '../files/file-store.ts';
import { readVersion } from '../jobs/sqlite/schema.ts';
import { codeOf } from '../lib/disk.ts';
import { version as bridgeVersion } from '../version.ts';
import { packFolder } from './archive.ts';
import { copyFolders, listBelow } from './copy-folder.ts';
import type { FolderCopy } from './copy-folder.ts';
import { aliasFileName, databaseName, describeFile, manifestName, toLocalPath } from './manifest.ts';
import type { BackedUpFile, Manifest } from './manifest.ts';
import { copyWithAge } from './pin-files.ts';
import { takeSnapshot } from './take-snapshot.ts';
import type { StoredNames } from './stored-names.ts';

export type BackupSettings = Pick<BridgeConfig, 'files' | 'jobs' | 'workflows'>;

export interface BackupSummary {
  names: StoredNames;
  files: number;
  bytes: number;
  /** Files that the database names and nobody has. */
  lost: FileKey[];
}

/**
 * Copies everything that the bridge keeps, also while it works, into a folder, or into an archive when `target` ends in `.tar`. Nothing is
 * at `target` until it is whole. Throws what to do.
 */
export async function makeBackup(
  { files: { dataDir }, jobs, workflows }: BackupSettings,
  target: string,
  now: number,
): Promise<BackupSummary> {
  if (jobs.store === 'memory') throw new Error('JOB_STORE=memory keeps nothing on disk to back up');
  const database = join(dataDir, databaseName);
  if (!existsSync(database))
    throw new Error(`there is no ${databaseName} in ${dataDir}: is that the DATA_DIR of the bridge?`);
  if (existsSync(target)) throw new Error(`${target} is there already: give the backup a name of its own`);

  // Below `tmp`, which the next start of the bridge empties if this process is killed.
  const staging = join(dataDir, 'tmp', `backup-${randomUUID()}`);
  const data = join(staging, 'data');
  await mkdir(data, { recursive: true, mode: 0o700 });
  try {
    const { names, lost } = await takeSnapshot({ dataDir, to: data, now });
    await copyFolders(workflowFolders(workflows, { dataDir, staging }));
    await copyPartials(join(dataDir, 'partial'), join(data, 'partial'));
    await copyIfThere(jobs.currentStateFile, join(data, 'current_state.json'));
    const files: BackedUpFile[] = [];
    for (const path of await listBelow(staging)) files.push(await describeFile(staging, path));
    const manifest: Manifest = {
      ...{ format: 'comfy-bridge backup', v: 1, made_at: new Date(now).toISOString() },
      ...{ bridge: bridgeVersion, schema: schemaOf(join(data, databaseName)), files },
    };
    await writeFile(join(staging, manifestName), `${JSON.stringify(manifest, null, 1)}\n`, { mode: 0o600 });
    await deliver(staging, target, files);
    return { names, lost, files: files.length, bytes: files.reduce((sum, { size }) => sum + size, 0) };
  } catch (error) {
    if (!existsSync(staging))
      throw new Error('a bridge was started on the data directory meanwhile: try again', { cause: error });
    throw error;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

function schemaOf(path: string): number {
  using db = new DatabaseSync(path, { readOnly: true });
  return readVersion(db);
}

/** What is published, and its earlier versions. */
function workflowFolders(
  { dir, aliasFile }: BackupSettings['workflows'],
  { dataDir, staging }: { dataDir: string; staging: string },
): FolderCopy[] {
  const to = join(staging, 'workflows');
  const alias = { from: dirname(aliasFile), to, only: { name: basename(aliasFile), as: aliasFileName } };
  return [
    { from: join(dataDir, 'workflow-versions'), to: join(staging, 'data', 'workflow-versions') },
    { from: dir, to },
    ...(aliasFile === join(dir, aliasFileName) ? [] : [alias]),
  ];
}

/** Uploads that are not complete yet: they grow, so that a second name would not hold them still. */
async function copyPartials(from: string, to: string): Promise<void> {
  for (const path of await listBelow(from)) {
    await mkdir(to, { recursive: true, mode: 0o700 });
    await copyIfThere(join(from, path), join(to, path));
  }
}

async function copyIfThere(from: string, to: string): Promise<void> {
  try {
    await copyWithAge(from, to);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

async function deliver(staging: string, target: string, files: readonly BackedUpFile[]): Promise<void> {
  const unfinished = `${target}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  try {
    if (target.endsWith('.tar')) {
      await packFolder(staging, unfinished);
    } else {
      await copyInto(staging, unfinished, files);
    }
    await rename(unfinished, target);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    if (codeOf(error) === 'ENOENT' && !existsSync(dirname(target)))
      throw new Error(`there is no folder ${dirname(target)}`, { cause: error });
    throw error;
  }
}

async function copyInto(staging: string, to: string, files: readonly BackedUpFile[]): Promise<void> {
  await mkdir(to, { mode: 0o700 });
  for (const file of [...files, undefined]) {
    const path = file === undefined ? join(to, manifestName) : toLocalPath(to, file);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await copyWithAge(file === undefined ? join(staging, manifestName) : toLocalPath(staging, file), path);
    await using handle = await open(path, 'r+');
    await handle.chmod(0o600);
    await handle.sync();
  }
}
