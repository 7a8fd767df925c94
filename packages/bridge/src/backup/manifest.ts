import { createReadStream } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

import { createContentHasher } from '../lib/content-hash.ts';
import type { ContentHash } from '../lib/content-hash.ts';

export const manifestName = 'manifest.json';
export const databaseName = 'bridge.sqlite';
/** Below `workflows/`, wherever `WORKFLOW_ALIAS` has it. */
export const aliasFileName = 'workflow_alias.json';

/** Below `data/` lies what belongs into the data directory, below `workflows/` what belongs into that folder. */
const filePath = z
  .string()
  .max(1_000)
  .refine(
    (path) =>
      /^(?:data|workflows)\//.test(path) &&
      !/[\\\0:]/.test(path) &&
      path.split('/').every((name) => name !== '' && name !== '.' && name !== '..'),
    'no path of a backup',
  );

const fileSchema = z.object({
  path: filePath,
  size: z.number(),
  /** `blake3:<hex>` */
  hash: z.string(),
  /** ms since the epoch: how old an upload is decides when it goes. */
  modified_at: z.number(),
});

const manifestSchema = z.object({
  format: z.literal('comfy-bridge backup'),
  v: z.literal(1),
  made_at: z.string(),
  /** Version of the bridge that made it. */
  bridge: z.string(),
  /** Of the database in it. */
  schema: z.number(),
  files: z.array(fileSchema),
});

/** What a backup holds, and how each file is known to be whole. */
export type Manifest = z.infer<typeof manifestSchema>;
export type BackedUpFile = z.infer<typeof fileSchema>;

/** Undefined for what no version of ours has written. */
export function parseManifest(text: string): Manifest | undefined {
  try {
    return manifestSchema.safeParse(JSON.parse(text)).data;
  } catch {
    // No JSON.
    return undefined;
  }
}

/** Where a file of the manifest lies below the folder of the backup. */
export function toLocalPath(folder: string, { path }: Pick<BackedUpFile, 'path'>): string {
  return join(folder, ...path.split('/'));
}

/** What stands in the manifest of a file that lies there now. Throws when it is no plain file. */
export async function describeFile(folder: string, path: string): Promise<BackedUpFile> {
  const local = toLocalPath(folder, { path });
  const found = await lstat(local);
  if (!found.isFile()) throw new Error(`${path} is no plain file`);
  const { hash, size } = await hashFile(local);
  return { path, size, hash, modified_at: Math.round(found.mtimeMs) };
}

async function hashFile(path: string): Promise<{ hash: ContentHash; size: number }> {
  const hasher = createContentHasher();
  let size = 0;
  const source: AsyncIterable<Buffer> = createReadStream(path, { highWaterMark: 1024 * 1024 });
  for await (const chunk of source) {
    hasher.update(chunk);
    size += chunk.length;
  }
  return { hash: hasher.digest(), size };
}
