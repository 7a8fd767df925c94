import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { makeZip, predictLength } from 'client-zip';
import type { Request, Response } from 'express';

import { BridgeError } from '../../errors.ts';
import type { FileKey, FileStore } from '../../files/file-store.ts';

export interface ArchivedFile {
  key: FileKey;
  fileName: string;
}

export interface Archive {
  /** As the receiver may save it. */
  fileName: string;
  files: readonly ArchivedFile[];
  /** When what it holds was made, ms since the epoch. */
  madeAt: number;
}

/** Results of one job have few names in common. */
const mostTries = 100_000;

/**
 * Answers with all files as one ZIP, packed as it is sent: nothing of it is kept, and its length is known before. Rejects with
 * `BridgeError('not_found')` when there are none.
 */
export async function sendArchive(
  store: Pick<FileStore, 'stat' | 'open'>,
  { fileName, files, madeAt }: Archive,
  request: Request,
  response: Response,
): Promise<void> {
  const entries: (Pick<ArchivedFile, 'key'> & { name: string; size: number; lastModified: Date })[] = [];
  const names = uniqueNames(files.map((file) => file.fileName));
  for (const [index, { key }] of files.entries()) {
    const found = await store.stat(key);
    if (found === undefined) throw new BridgeError('not_found', 'a result of this job is gone');
    const name = names[index] ?? String(index);
    entries.push({ key, name, size: found.size, lastModified: new Date(madeAt) });
  }
  if (entries.length === 0) throw new BridgeError('not_found', 'this job has no results (any more)');
  response.attachment(fileName);
  response.type('application/zip');
  response.setHeader('Content-Length', String(predictLength(entries)));
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  /** One file is open at a time. */
  async function* read() {
    for (const { key, ...entry } of entries) {
      const { stream } = await store.open(key);
      try {
        yield { ...entry, input: stream };
      } finally {
        stream.destroy();
      }
    }
  }
  const zip = Readable.from(makeZip(read()), { objectMode: false });
  await pipeline(zip, response).catch((error: unknown) => {
    // A client that goes away is no failure.
    if (!response.destroyed || !isGone(error)) throw error;
  });
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';
}

/** `a.png`, `a (2).png`: systems that do not tell capitals apart have them all, in one folder, and none outside of it. */
export function uniqueNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((wished) => {
    const name = wished.replaceAll(/[/\\:]/g, '_').replace(/^\.+/, '_') || 'result';
    const dot = name.lastIndexOf('.');
    const [stem, extension] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
    let unique = name;
    for (let times = 2; taken.has(unique.toLowerCase()) && times < mostTries; times += 1)
      unique = `${stem} (${times})${extension}`;
    taken.add(unique.toLowerCase());
    return unique;
  });
}
