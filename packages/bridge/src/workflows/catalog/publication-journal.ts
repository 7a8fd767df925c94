import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { z } from 'zod';

import { codeOf, isTemporaryName, prepareFile } from '../../lib/disk.ts';
import { applyChange } from './apply-change.ts';
import type { Applied, ApplyDeps, Change } from './apply-change.ts';
import { digest, readCurrent } from './current-publication.ts';
import type { CurrentState } from './current-publication.ts';
import { publicationSchema, versionSourceSchema } from './workflow-versions.ts';
import type { WorkflowVersions } from './workflow-versions.ts';

export interface JournalLog {
  info(data: object, message: string): void;
  warn(data: object, message: string): void;
  error(data: object, message: string): void;
}

export interface JournalDeps extends ApplyDeps {
  /** Where the versions lie; the change under way is written down there. */
  directory: string;
  versions: WorkflowVersions;
  log: JournalLog;
}

/** Who publishes what, when. Of a removal, nothing is kept but what was there. */
const originSchema = z.object({
  at: z.number(),
  by: z.string(),
  source: versionSourceSchema,
  version: z.string(),
});
export type Origin = z.infer<typeof originSchema>;

const entrySchema = z.object({
  v: z.literal(1),
  /** Digest of the file that is replaced or removed. */
  replaces: z.string().nullable(),
  origin: originSchema,
  change: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('put'), publication: publicationSchema, keepsThumbnail: z.boolean() }),
    z.object({ kind: z.literal('remove'), alias: z.string() }),
  ]),
});
type Entry = z.infer<typeof entrySchema>;

/**
 * Changes that take several files are written down before they begin, so that one that was cut short is finished by the next
 * process: whoever looks after a start finds all of it, or nothing.
 */
export interface PublicationJournal {
  run(current: CurrentState, change: Change, origin: Origin): Promise<Applied>;
  /** Finishes what was cut short. Never rejects: what cannot be finished now is told in the log, and tried again later. */
  resume(): Promise<void>;
  /** Removes what killed processes had begun to write. Never rejects. */
  sweep(): Promise<void>;
}

export function createPublicationJournal(deps: JournalDeps): PublicationJournal {
  const { disk, directory, versions, log } = deps;
  const path = join(directory, 'pending.json');

  async function write(entry: Entry): Promise<void> {
    const file = await prepareFile(disk, path, JSON.stringify(entry));
    await file.commit().finally(() => file.discard());
  }

  async function forget(): Promise<void> {
    await disk.remove(path);
    await disk.sync(directory);
  }

  /** After the change itself: it stands, whether its history can be written or not. */
  async function conclude({ change, origin }: Entry): Promise<void> {
    try {
      if (change.kind === 'put') await versions.add({ ...origin, publication: change.publication });
      await forget();
    } catch (error) {
      log.error(
        { err: error },
        'the history of a published workflow could not be written; it is tried again',
      );
    }
  }

  async function finish(entry: Entry): Promise<void> {
    const { change, replaces } = entry;
    const current = await readCurrent(deps, change.kind === 'put' ? change.publication.alias : change.alias);
    const wanted = change.kind === 'put' ? digest(change.publication.workflow) : null;
    const found = current.publication === undefined ? null : digest(current.publication.workflow);
    if (found !== replaces && found !== wanted) {
      log.warn(
        { workflow: current.alias },
        'a workflow was changed by hand while it was being published; that stays',
      );
      return await forget();
    }
    const applied = await applyChange(deps, current, change);
    if (!applied.ok) throw applied.error;
    log.info({ workflow: current.alias }, 'the publishing of a workflow, which was cut short, is finished');
    await conclude(entry);
  }

  return {
    async run(current, change, origin) {
      const { publication } = current;
      const replaces = publication === undefined ? null : digest(publication.workflow);
      const entry: Entry = { v: 1, replaces, origin, change };
      const applied = await applyChange(deps, current, change, () => write(entry));
      if (applied.ok) await conclude(entry);
      else if (applied.isUndone) await forget().catch(() => {});
      return applied;
    },
    async resume() {
      try {
        const entry = await readEntry(path);
        if (entry === 'damaged') await forget();
        else if (entry !== undefined) await finish(entry);
      } catch (error) {
        log.error(
          { err: error },
          'the publishing of a workflow, which was cut short, cannot be finished now',
        );
      }
    },
    sweep: () => sweepTemporary(deps),
  };
}

async function readEntry(path: string): Promise<Entry | 'damaged' | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return entrySchema.parse(JSON.parse(text));
  } catch {
    // It is put into its place whole: this is none of ours.
    return 'damaged';
  }
}

const hourMs = 60 * 60 * 1000;

/** What a process that was killed had begun to write. Another bridge may be writing to the same folder just now. */
async function sweepTemporary({ disk, workflowDir, aliasFile, directory }: JournalDeps): Promise<void> {
  const below = await readdir(directory).catch(() => []);
  const folders = [workflowDir, join(workflowDir, 'thumbnail'), dirname(aliasFile), directory];
  for (const folder of new Set([...folders, ...below.map((name) => join(directory, name))])) {
    for (const name of await readdir(folder).catch(() => [])) {
      if (!isTemporaryName(name)) continue;
      const info = await stat(join(folder, name)).catch(() => undefined);
      if (info !== undefined && Date.now() - info.mtimeMs > hourMs)
        await disk.remove(join(folder, name)).catch(() => {});
    }
  }
}
