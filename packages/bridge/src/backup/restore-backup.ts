import { mkdir, open, readFile, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { schemaVersion } from '../jobs/sqlite/schema.ts';
import { tryLockDirectory } from '../jobs/sqlite/lock.ts';
import { codeOf, realDisk } from '../lib/disk.ts';
import { unpackFolder } from './archive.ts';
import { listBelow } from './copy-folder.ts';
import type { BackupSettings } from './make-backup.ts';
import {
  aliasFileName,
  databaseName,
  describeFile,
  manifestName,
  parseManifest,
  toLocalPath,
} from './manifest.ts';
import type { BackedUpFile, Manifest } from './manifest.ts';
import { copyWithAge } from './pin-files.ts';
import { countEndedBefore, readStoredNames } from './stored-names.ts';
import type { StoredNames } from './stored-names.ts';

export interface RestoreSummary {
  manifest: Manifest;
  names: StoredNames;
  /** Jobs whose results are older than they are kept: the next start removes them. */
  overdue: number;
  /** False when the workflow folder had files already, and was left as it is. */
  hasWorkflows: boolean;
}

/** What may lie in a data directory that counts as empty. */
const ignored = new Set(['bridge.lock', 'restoring', 'lost+found']);

/** What a whole backup says of itself. Rejects, naming the file, when one is missing, damaged or of a newer version. */
export async function checkBackup(source: string, workDir: string): Promise<Manifest> {
  const folder = await openBackup(source, join(workDir, 'unpacked'));
  try {
    const manifest = await readManifest(folder, source);
    for (const file of manifest.files) await checkFile(folder, file);
    return manifest;
  } finally {
    await rm(join(workDir, 'unpacked'), { recursive: true, force: true });
  }
}

/**
 * Puts a backup into the data directory, which must be empty, and its workflows into their folder, if that is or they are to
 * replace what has their names there. Every file is checked
 * before any is put in its place; the database comes last, so that a restore that was cut short can be begun again.
 */
export async function restoreBackup(
  { files: { dataDir, resultTtlMs }, workflows, jobs }: BackupSettings,
  source: string,
  { now, replacesWorkflows = false }: { now: number; replacesWorkflows?: boolean },
): Promise<RestoreSummary> {
  if (jobs.store === 'memory') throw new Error('JOB_STORE=memory reads nothing from disk: take sqlite');
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  using lock = tryLockDirectory(join(dataDir, 'bridge.lock'));
  if (lock === undefined) throw new Error(`a bridge runs on ${dataDir}: stop it first`);
  const present = (await readdir(dataDir)).filter((name) => !ignored.has(name));
  if (present.length > 0)
    throw new Error(
      `${dataDir} is not empty (${present.slice(0, 3).join(', ')}): move what is there away, or set another DATA_DIR`,
    );
  const work = join(dataDir, 'restoring');
  await rm(work, { recursive: true, force: true });
  const folder = await openBackup(source, join(work, 'unpacked'));
  const manifest = await readManifest(folder, source);
  const ready = await prepare({ folder, work, files: manifest.files });
  const { names, overdue } = look(join(ready, 'data', databaseName), { now, resultTtlMs });
  const hasWorkflows = replacesWorkflows || (await isEmpty(workflows.dir));
  for (const file of manifest.files) {
    const to = placeOf(file, { dataDir, workflows });
    if (file.path === `data/${databaseName}` || (isWorkflow(file) && !hasWorkflows)) continue;
    await putInPlace(toLocalPath(ready, file), to, isWorkflow(file) ? 0o755 : 0o700);
  }
  await putInPlace(join(ready, 'data', databaseName), join(dataDir, databaseName));
  await rm(work, { recursive: true, force: true });
  await realDisk.sync(dataDir);
  return { manifest, names, overdue, hasWorkflows };
}

/** The folder that the backup is, or that its archive is unpacked into. */
async function openBackup(source: string, unpacked: string): Promise<string> {
  const found = await stat(source).catch(() => undefined);
  if (found === undefined) throw new Error(`there is no backup at ${source}`);
  if (found.isDirectory()) return source;
  await unpackFolder(source, unpacked);
  return unpacked;
}

async function readManifest(folder: string, source: string): Promise<Manifest> {
  const text = await readFile(join(folder, manifestName), 'utf8').catch(() => '');
  const manifest = parseManifest(text);
  if (manifest === undefined || !manifest.files.some(({ path }) => path === `data/${databaseName}`))
    throw new Error(`${source} is no backup of a bridge, or its ${manifestName} is damaged`);
  if (manifest.schema > schemaVersion)
    throw new Error(
      `the backup was made by a newer version of the bridge (${manifest.bridge}, schema ${manifest.schema}): restore it with that version`,
    );
  return manifest;
}

async function checkFile(folder: string, expected: BackedUpFile): Promise<void> {
  const found = await describeFile(folder, expected.path).catch((error: unknown) => {
    throw new Error(`the backup is not whole: ${expected.path} is missing`, { cause: error });
  });
  if (found.hash !== expected.hash || found.size !== expected.size)
    throw new Error(`the backup is damaged: ${expected.path} is not what was backed up`);
}

/** Brings every file of the manifest, and nothing else, into the data directory's own disk, for its user alone, and checks it there. */
async function prepare({
  folder,
  work,
  files,
}: {
  folder: string;
  work: string;
  files: readonly BackedUpFile[];
}): Promise<string> {
  const ready = join(work, 'ready');
  const isOurs = !relative(work, folder).startsWith('..');
  for (const file of files) {
    const [from, to] = [toLocalPath(folder, file), toLocalPath(ready, file)];
    await mkdir(dirname(to), { recursive: true, mode: 0o700 });
    await (isOurs ? rename(from, to) : copyWithAge(from, to)).catch((error: unknown) => {
      throw codeOf(error) === 'ENOENT'
        ? new Error(`the backup is not whole: ${file.path} is missing`, { cause: error })
        : error;
    });
    await checkFile(ready, file);
    await using handle = await open(to, 'r+');
    // People edit workflows; the rest is the bridge's own.
    await handle.chmod(isWorkflow(file) ? 0o644 : 0o600);
    await handle.sync();
    await utimes(to, new Date(file.modified_at), new Date(file.modified_at));
  }
  return ready;
}

function look(
  path: string,
  { now, resultTtlMs }: { now: number; resultTtlMs: number },
): { names: StoredNames; overdue: number } {
  using db = new DatabaseSync(path, { readOnly: true });
  return { names: readStoredNames(db, now), overdue: countEndedBefore(db, now - resultTtlMs) };
}

function placeOf(
  { path }: BackedUpFile,
  { dataDir, workflows }: { dataDir: string; workflows: BackupSettings['workflows'] },
): string {
  if (path === `workflows/${aliasFileName}`) return workflows.aliasFile;
  const [top = '', ...names] = path.split('/');
  return join(top === 'data' ? dataDir : workflows.dir, ...names);
}

function isWorkflow({ path }: BackedUpFile): boolean {
  return path.startsWith('workflows/');
}

/** The workflow folder may lie on another disk. */
async function putInPlace(from: string, to: string, folderMode = 0o700): Promise<void> {
  await mkdir(dirname(to), { recursive: true, mode: folderMode });
  try {
    await rename(from, to);
  } catch (error) {
    if (codeOf(error) !== 'EXDEV') throw error;
    await copyWithAge(from, to);
    await using handle = await open(to, 'r+');
    await handle.sync();
  }
}

async function isEmpty(folder: string): Promise<boolean> {
  return (await listBelow(folder)).length === 0;
}
