import { realpath } from 'node:fs/promises';
import { join } from 'node:path';

import { prepareFile, prepareRemoval } from '../../lib/disk.ts';
import type { Disk, PreparedFile } from '../../lib/disk.ts';
import { removeAliasEntry, setAliasEntry } from './alias-text.ts';
import { readThumbnail } from './current-publication.ts';
import type { CurrentState, Publication } from './current-publication.ts';
import type { FolderPaths } from './load-folder.ts';

/** What is to become of an alias. `undefined` in place of a thumbnail: what its entry names stays. */
export type Change =
  | { kind: 'put'; publication: Publication; keepsThumbnail: boolean }
  | { kind: 'remove'; alias: string };

export interface ApplyDeps extends FolderPaths {
  disk: Disk;
}

/** `isUndone`: the folder is as it was before. */
export type Applied = { ok: true } | { ok: false; error: unknown; isUndone: boolean };

/**
 * Makes a change: everything is written beside its place first, then `beforeCommit` runs, then all of it is put into place,
 * the aliases last. What goes wrong is undone. Making the same change again does no harm.
 */
export async function applyChange(
  deps: ApplyDeps,
  current: CurrentState,
  change: Change,
  beforeCommit: () => Promise<void> = async () => {},
): Promise<Applied> {
  const begun: PreparedFile[] = [];
  let steps: readonly PreparedFile[] = [];
  try {
    steps = await (change.kind === 'put'
      ? preparePut(deps, current, change)
      : prepareTakingOut(deps, current));
    await beforeCommit();
    for (const step of steps) {
      begun.push(step);
      await step.commit();
    }
  } catch (error) {
    return { ok: false, error, isUndone: await undoAll(begun) };
  } finally {
    for (const step of steps) await step.discard();
  }
  await dropOldThumbnail(deps, current, change).catch(() => {
    // It is only not needed any more.
  });
  return { ok: true };
}

async function undoAll(steps: readonly PreparedFile[]): Promise<boolean> {
  try {
    for (const step of steps.toReversed()) await step.undo();
    return true;
  } catch {
    // The disk does not even take what it had: the next start finishes what was begun.
    return false;
  }
}

/** Those that were prepared are discarded when a later one cannot be. */
async function prepareAll(preparations: readonly (() => Promise<PreparedFile>)[]): Promise<PreparedFile[]> {
  const prepared: PreparedFile[] = [];
  try {
    for (const prepare of preparations) prepared.push(await prepare());
    return prepared;
  } catch (error) {
    for (const file of prepared) await file.discard();
    throw error;
  }
}

async function preparePut(
  { disk, workflowDir, aliasFile }: ApplyDeps,
  { aliasText }: CurrentState,
  { publication, keepsThumbnail }: Extract<Change, { kind: 'put' }>,
): Promise<PreparedFile[]> {
  const { alias, fileName, description, workflow, thumbnail } = publication;
  const known = await readThumbnail(workflowDir, thumbnail?.fileName);
  const text = setAliasEntry(aliasText, {
    alias,
    fn: fileName,
    description,
    thumbnail: keepsThumbnail ? undefined : (thumbnail?.fileName ?? ''),
  });
  const workflowPath = await followLink(join(workflowDir, fileName));
  const aliasPath = await followLink(aliasFile);
  return await prepareAll([
    ...(thumbnail === null || known?.base64 === thumbnail.base64
      ? []
      : [
          () =>
            prepareFile(
              disk,
              join(workflowDir, 'thumbnail', thumbnail.fileName),
              Buffer.from(thumbnail.base64, 'base64'),
            ),
        ]),
    () => prepareFile(disk, workflowPath, workflow),
    () => prepareFile(disk, aliasPath, text),
  ]);
}

async function prepareTakingOut(
  { disk, workflowDir, aliasFile }: ApplyDeps,
  { alias, aliasText, entries, publication }: CurrentState,
): Promise<PreparedFile[]> {
  const aliasPath = await followLink(aliasFile);
  const text = aliasText === undefined ? undefined : removeAliasEntry(aliasText, alias);
  const isShared = entries.some((entry) => entry.alias !== alias && entry.fileName === publication?.fileName);
  return await prepareAll([
    ...(publication === undefined || isShared
      ? []
      : [() => prepareRemoval(disk, join(workflowDir, publication.fileName))]),
    ...(text === undefined || text === aliasText ? [] : [() => prepareFile(disk, aliasPath, text)]),
  ]);
}

/** Configuration is often linked to where it really lies: the link stays, and what it leads to is replaced. */
async function followLink(path: string): Promise<string> {
  return await realpath(path).catch(() => path);
}

const ownThumbnail = /-[0-9a-f]{8}\.[a-z]+$/;

/** Pictures that people put there stay; those that came with a workflow go with it, unless another one shows them. */
async function dropOldThumbnail(
  { disk, workflowDir }: ApplyDeps,
  { alias, entry, entries }: CurrentState,
  change: Change,
): Promise<void> {
  const old = entry?.thumbnailFile;
  if (old === undefined || !ownThumbnail.test(old)) return;
  if (change.kind === 'put' && (change.keepsThumbnail || change.publication.thumbnail?.fileName === old))
    return;
  if (entries.some((other) => other.alias !== alias && other.thumbnailFile === old)) return;
  await disk.remove(join(workflowDir, 'thumbnail', old));
}
