import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

import { BridgeError } from '../../errors.ts';
import { parseAliasFile } from './alias-file.ts';
import type { AliasEntry } from './alias-file.ts';
import { isWorkflowFileName, maxFileBytes, workflowFileNames } from './load-folder.ts';
import type { FolderPaths } from './load-folder.ts';
import { readWatchedFile } from './read-watched-file.ts';
import { foldName } from './workflow-name.ts';

/** Everything that is published under one alias, as it can be put back. */
export interface Publication {
  alias: string;
  /** In the workflow folder. */
  fileName: string;
  description: string;
  /** The text of the file. */
  workflow: string;
  /** Null when there is none, or none that can be read. */
  thumbnail: { fileName: string; base64: string } | null;
}

/** What stands on the disk for an alias, whoever put it there. */
export interface CurrentState {
  alias: string;
  aliasText: string | undefined;
  entries: readonly AliasEntry[];
  /** Undefined when it has no alias, or is not published. */
  entry: AliasEntry | undefined;
  /** Where its file is, or would be by its entry. Undefined when it has none, or none that a workflow may have. */
  fileName: string | undefined;
  /** Undefined when there is no such file. */
  publication: Publication | undefined;
  /** Of the file; ms since the epoch. */
  changedAt: number | undefined;
  /** Whether a new workflow file may not have this name. */
  isTaken(fileName: string): boolean;
  /** Another alias that cannot be told from this one. */
  lookAlike: string | undefined;
}

const maxPictureBytes = 5 * 1024 * 1024;

/**
 * Reads what is published under an alias now: by its entry, else a file of that name, with or without `.json`, that has no
 * alias. Refuses (`conflict`) when the folder is in a state that people must mend first.
 */
export async function readCurrent(paths: FolderPaths, alias: string): Promise<CurrentState> {
  const { aliasText, entries } = await readAliases(paths.aliasFile);
  const fileNames = await workflowFileNames(paths).catch(() => []);
  const aliased = new Set(entries.map(({ fileName }) => fileName));
  const unaliased = fileNames.filter((fileName) => !aliased.has(fileName));
  const entry = entries.find((entry) => entry.alias === alias);
  const found = entry?.fileName ?? [alias, `${alias}.json`].find((name) => unaliased.includes(name));
  const fileName = found !== undefined && isWorkflowFileName(paths, found) ? found : undefined;
  const names = [...entries.map((entry) => entry.alias), ...unaliased];
  return {
    alias,
    aliasText,
    entries,
    entry,
    fileName,
    ...(await readPublication(paths, { alias, entry, fileName })),
    isTaken: await namesTaken(paths, aliased),
    lookAlike: found === undefined ? names.find((name) => foldName(name) === foldName(alias)) : undefined,
  };
}

async function readAliases(aliasFile: string) {
  const file = await readWatchedFile(dirname(aliasFile), basename(aliasFile), undefined, maxFileBytes);
  if (file.state === 'missing') return { aliasText: undefined, entries: [] };
  const aliasText = file.state === 'read' ? file.bytes.toString('utf8') : '';
  const parsed = parseAliasFile(aliasText);
  if (parsed.ok) return { aliasText, entries: parsed.entries };
  const problem = file.state === 'unreadable' ? file.problem : parsed.problem;
  throw new BridgeError(
    'conflict',
    `the file of aliases ${problem}: mend ${basename(aliasFile)} in the workflow folder first`,
  );
}

async function readPublication(
  { workflowDir }: FolderPaths,
  wanted: { alias: string; entry: AliasEntry | undefined; fileName: string | undefined },
): Promise<Pick<CurrentState, 'publication' | 'changedAt'>> {
  const { alias, entry, fileName } = wanted;
  const none = { publication: undefined, changedAt: undefined };
  if (fileName === undefined) return none;
  const file = await readWatchedFile(workflowDir, fileName, undefined, maxFileBytes);
  if (file.state === 'unreadable') {
    throw new BridgeError(
      'conflict',
      `the file "${fileName}" of this workflow ${file.problem}: mend or remove it in the workflow folder first`,
    );
  }
  if (file.state !== 'read') return none;
  const info = await stat(join(workflowDir, fileName)).catch(() => undefined);
  const publication = {
    alias,
    fileName,
    description: entry?.description ?? '',
    workflow: file.bytes.toString('utf8'),
    thumbnail: await readThumbnail(workflowDir, entry?.thumbnailFile),
  };
  return { publication, changedAt: info?.mtimeMs };
}

export async function readThumbnail(
  workflowDir: string,
  fileName: string | undefined,
): Promise<Publication['thumbnail']> {
  if (fileName === undefined) return null;
  const folder = join(workflowDir, 'thumbnail');
  const file = await readWatchedFile(folder, fileName, undefined, maxPictureBytes);
  return file.state === 'read' ? { fileName, base64: file.bytes.toString('base64') } : null;
}

/** Names that differ only in how they are written are one name on some systems. */
async function namesTaken(
  { workflowDir, aliasFile }: FolderPaths,
  aliased: ReadonlySet<string>,
): Promise<CurrentState['isTaken']> {
  const found = await readdir(workflowDir).catch(() => []);
  const own = dirname(resolve(aliasFile)) === resolve(workflowDir) ? [basename(aliasFile)] : [];
  const taken = new Set([...found, ...aliased, ...own].map(foldName));
  return (fileName) => taken.has(foldName(fileName));
}

/**
 * Names what is published, whoever put it there: the same content has the same version, and a file that was edited by hand
 * has another one.
 */
export function versionOf({ workflow, description, thumbnail }: Publication): string {
  return digest(JSON.stringify([digest(workflow), description, thumbnail && digest(thumbnail.base64)])).slice(
    0,
    16,
  );
}

export function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
