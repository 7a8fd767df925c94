import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

/** An upload that is not complete yet: its bytes lie in `<id>`, what is known of it in `<id>.json`. */
export interface PartialUpload {
  /** A UUID. */
  readonly id: string;
  readonly account: string;
  /** Announced, in bytes. */
  readonly size: number;
  /** As the client sent it, decoded. */
  readonly metadata: Readonly<Record<string, string | null>>;
  /** ms since the epoch */
  readonly createdAt: number;
}

const partialSchema = z.object({
  id: z.uuid(),
  account: z.string(),
  size: z.number(),
  metadata: z.record(z.string(), z.string().nullable()),
  createdAt: z.number(),
});

const fileName = /^([0-9a-f-]{36})(\.json)?(\.tmp)?$/;

/** What an earlier process had left, with the bytes that each has; everything that is not whole is removed. */
export async function loadPartials(
  directory: string,
): Promise<{ upload: PartialUpload; received: number }[]> {
  const loaded: { upload: PartialUpload; received: number }[] = [];
  const names = new Set(await readdir(directory));
  for (const name of names) {
    const [, id, record, unfinished] = fileName.exec(name) ?? [];
    if (id === undefined) continue;
    const isWhole = unfinished === undefined && names.has(id) && names.has(`${id}.json`);
    if (!isWhole) {
      await rm(join(directory, name), { force: true });
    } else if (record !== undefined) {
      const upload = await readPartial(join(directory, name));
      const { size: received } = await stat(join(directory, id));
      if (upload === undefined) await removePartial(directory, id);
      else loaded.push({ upload, received });
    }
  }
  return loaded;
}

async function readPartial(path: string): Promise<PartialUpload | undefined> {
  try {
    return partialSchema.safeParse(JSON.parse(await readFile(path, 'utf8'))).data;
  } catch {
    // Cut off by the end of the process, or not ours.
    return undefined;
  }
}

export async function writePartial(directory: string, upload: PartialUpload): Promise<void> {
  const path = join(directory, `${upload.id}.json`);
  await writeFile(`${path}.tmp`, JSON.stringify(upload), { mode: 0o600 });
  await rename(`${path}.tmp`, path);
}

/** Removing what is not there is fine. */
export async function removePartial(directory: string, id: string): Promise<void> {
  await rm(join(directory, id), { force: true });
  await rm(join(directory, `${id}.json`), { force: true });
}
