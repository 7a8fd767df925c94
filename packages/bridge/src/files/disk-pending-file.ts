import { randomUUID } from 'node:crypto';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BridgeError } from '../errors.ts';
import { createContentHasher, type ContentHash } from '../lib/content-hash.ts';
import type { FileKey, PendingFile } from './file-store.ts';
import type { FolderSync } from './folder-sync.ts';
import { toStorageError } from './storage-error.ts';

/** Bytes that may wait while a write is under way; they then go to disk in one call. */
const writeBuffer = 1024 * 1024;

/** Where the file of a key belongs, and how its place there is made durable. */
type ToTarget = (key: FileKey) => { path: string; syncFolder: FolderSync };

/** Opens a new file under `<directory>/tmp`. */
export async function createDiskPendingFile(directory: string, toTarget: ToTarget): Promise<PendingFile> {
  const path = join(directory, 'tmp', randomUUID());
  try {
    return new DiskPendingFile({ path, handle: await open(path, 'wx', 0o600), toTarget });
  } catch (error) {
    throw toStorageError(error);
  }
}

class DiskPendingFile implements PendingFile {
  readonly path: string;
  readonly #toTarget: ToTarget;
  #handle: FileHandle | undefined;
  #size = 0;
  #hash: ContentHash = 'blake3:';
  #settled = false;

  constructor({ path, handle, toTarget }: { path: string; handle: FileHandle; toTarget: ToTarget }) {
    this.path = path;
    this.#handle = handle;
    this.#toTarget = toTarget;
  }

  get size(): number {
    return this.#size;
  }

  get hash(): ContentHash {
    return this.#hash;
  }

  async receive(
    source: Readable,
    { maxBytes, signal }: { maxBytes: number; signal?: AbortSignal },
  ): Promise<void> {
    const handle = this.#handle;
    if (handle === undefined || this.#size > 0) throw new Error('a pending file is received once');
    const hasher = createContentHasher();
    let arrived = 0;
    let written = 0;
    const write = async (chunks: Buffer[]): Promise<void> => {
      for (const chunk of chunks) arrived += chunk.length;
      if (arrived > maxBytes)
        throw new BridgeError('too_large', `the file is larger than ${toMegabytes(maxBytes)}`);
      for (const chunk of chunks) hasher.update(chunk);
      written += await writeAll(handle, chunks, written);
      this.#size = written;
    };
    const sink = new Writable({
      highWaterMark: writeBuffer,
      write(chunk: Buffer, _encoding, done) {
        write([chunk]).then(() => done(), done);
      },
      writev(items, done) {
        write(items.map(({ chunk }): Buffer => chunk)).then(() => done(), done);
      },
    });
    try {
      await pipeline(source, sink, signal === undefined ? {} : { signal });
    } catch (error) {
      throw toStorageError(error);
    }
    this.#hash = hasher.digest();
  }

  async commit(key: FileKey): Promise<void> {
    if (this.#handle === undefined || this.#settled) throw new Error('this pending file is settled already');
    const { path, syncFolder } = this.#toTarget(key);
    try {
      await this.#handle.sync();
      await this.#close();
      await rename(this.path, path);
      this.#settled = true;
      await syncFolder();
    } catch (error) {
      throw toStorageError(error);
    }
  }

  async discard(): Promise<void> {
    if (this.#settled) return;
    this.#settled = true;
    await this.#close();
    await rm(this.path, { force: true });
  }

  async #close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }
}

async function writeAll(handle: FileHandle, chunks: Buffer[], position: number): Promise<number> {
  const total = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const { bytesWritten } = await handle.writev(chunks, position);
  if (bytesWritten === total) return total;
  // A short write: the disk is nearly full, or the call was interrupted. The rest says which.
  const rest = Buffer.concat(chunks).subarray(bytesWritten);
  for (let done = 0; done < rest.length;) {
    const again = await handle.write(rest, done, rest.length - done, position + bytesWritten + done);
    done += again.bytesWritten;
  }
  return total;
}

function toMegabytes(bytes: number): string {
  return bytes < 1024 * 1024 ? `${bytes} bytes` : `${Math.floor((bytes / 1024 / 1024) * 10) / 10} MB`;
}
