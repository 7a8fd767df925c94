import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

import { codeOf, prepareFile } from '../../lib/disk.ts';
import type { Disk } from '../../lib/disk.ts';
import { digest, versionOf } from './current-publication.ts';
import type { Publication } from './current-publication.ts';

export const publicationSchema = z.object({
  alias: z.string(),
  fileName: z.string(),
  description: z.string(),
  workflow: z.string(),
  thumbnail: z.object({ fileName: z.string(), base64: z.string() }).nullable(),
});

/** How a version came to be: through the API, or found in the folder, where somebody had put it. */
export const versionSourceSchema = z.enum(['publish', 'restore', 'folder']);

const recordSchema = z.object({
  v: z.literal(1),
  version: z.string(),
  at: z.number(),
  by: z.string().nullable(),
  source: versionSourceSchema,
  publication: publicationSchema,
});

export interface WorkflowVersion {
  version: string;
  /** When it was published; ms since the epoch. */
  at: number;
  /** Digest of the account that published it; null when it was put into the folder. */
  by: string | null;
  source: z.infer<typeof versionSourceSchema>;
  publication: Publication;
}

/** What was published under each alias, the last ones of it; also of those that are not any more. */
export interface WorkflowVersions {
  /** Newest first. */
  list(alias: string): Promise<WorkflowVersion[]>;
  /** Adds one as the newest; what goes beyond the number that is kept is dropped, oldest first. */
  add(entry: WorkflowVersion): Promise<void>;
}

/** One folder for each alias, by its digest, for aliases are not names of files; one file for each version, numbered. */
export function createWorkflowVersions(
  { directory, disk }: { directory: string; disk: Disk },
  { kept = 10 }: { kept?: number } = {},
): WorkflowVersions {
  const folderOf = (alias: string) => join(directory, digest(alias).slice(0, 32));

  async function numbered(alias: string): Promise<{ number: number; path: string }[]> {
    const folder = folderOf(alias);
    const names = await readdir(folder).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    });
    return names
      .flatMap((name) => {
        const number = /^(\d{8})\.json$/.exec(name)?.[1];
        return number === undefined ? [] : [{ number: Number(number), path: join(folder, name) }];
      })
      .toSorted((a, b) => b.number - a.number);
  }

  async function read(alias: string): Promise<(WorkflowVersion & { path: string })[]> {
    const found = [];
    for (const { path } of await numbered(alias)) {
      const parsed = recordSchema.safeParse(await readJson(path));
      // One that is damaged is as good as dropped.
      if (parsed.success && parsed.data.publication.alias === alias) found.push({ ...parsed.data, path });
    }
    return found;
  }

  return {
    list: read,
    async add({ version, at, by, source, publication }) {
      const { alias } = publication;
      const older = await read(alias);
      const [newest] = await numbered(alias);
      const name = `${String((newest?.number ?? 0) + 1).padStart(8, '0')}.json`;
      const record = { v: 1, version, at, by, source, publication };
      const file = await prepareFile(disk, join(folderOf(alias), name), JSON.stringify(record));
      try {
        await file.commit();
      } finally {
        await file.discard();
      }
      // What is published again is one version, with the time and the account of now.
      const others = older.filter((other) => other.version !== version);
      const dropped = [...older.filter((other) => other.version === version), ...others.slice(kept - 1)];
      for (const { path } of dropped) await disk.remove(path);
    },
  };
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    // Damaged or gone: to be passed over.
    return undefined;
  }
}

/** As it stands in the folder, where nobody has told who put it there. */
export function foundVersion(publication: Publication, changedAt: number): WorkflowVersion {
  return {
    version: versionOf(publication),
    at: Math.round(changedAt),
    by: null,
    source: 'folder',
    publication,
  };
}
