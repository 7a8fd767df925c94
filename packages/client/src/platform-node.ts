import { createWriteStream } from 'node:fs';
import * as fs from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import type { Platform } from './bridge.ts';
import { BridgeError } from './errors.ts';
import { newKey } from './http.ts';

/** Files by their path, and as many connections as are wanted. */
export const nodePlatform: Platform = {
  maxStreams: Infinity,
  async openFile(path) {
    try {
      return { blob: await openBlob(path), name: basename(path) };
    } catch (cause) {
      throw new BridgeError('unreadable_file', `${path} cannot be read`, { cause });
    }
  },
  /** Under another name until it is whole. */
  async writeFile(open, path) {
    const partial = `${path}.${newKey()}.part`;
    try {
      await pipeline(Readable.from(await open()), createWriteStream(partial, { flags: 'wx' }));
      await rename(partial, path);
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    }
  },
};

/** Not in memory, where Node.js can do that (since 19.8). */
async function openBlob(path: string): Promise<Blob> {
  const { openAsBlob } = fs as Partial<typeof fs>;
  return openAsBlob === undefined ? new Blob([await readFile(path)]) : openAsBlob(path);
}
