import { createHash, randomUUID } from 'node:crypto';
import { open, rename, rm, mkdir, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Writable, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BridgeError } from '../errors.ts';
import type { FileKey, PendingFile } from './file-store.ts';
import { hasCode, toStorageError } from './storage-error.ts';

/** Bytes that may wait while a write is under way; they then go to disk in one call. */
const writeBuffer = 2 * 1024 * 1024;

/** Opens a new file under `<directory>/tmp`. */
export async function createDiskPendingFile(
  directory: string,
  toPath: (key: FileKey) => string,
): Promise<PendingFile> {
  const path = join(directory, 'tmp', randomUUID());
  try {
    return new DiskPendingFile({ path, handle: await open(path, 'wx', 0o600), toPath });
  } catch (error) {
    throw toStorageError(error);
  }
}

class DiskPendingFile implements PendingFile {
  readonly path: string;
  readonly #toPath: (key: FileKey) => string;
  #handle: FileHandle | undefined;
  #size = 0;
  #sha256 = '';
  #settled = false;

  constructor({
    path,
    handle,
    toPath,
  }: {
    path: string;
    handle: FileHandle;
    toPath: (key: FileKey) => string;
  }) {
    this.path = path;
    this.#handle = handle;
    this.#toPath = toPath;
  }

  get size(): number {
    return this.#size;
  }

  get sha256(): string {
    return this.#sha256;
  }

  async receive(
    source: Readable,
    { maxBytes, signal }: { maxBytes: number; signal?: AbortSignal },
  ): Promise<void> {
    const handle = this.#handle;
    if (handle === undefined || this.#size > 0) throw new Error('a pending file is received once');
    const hash = createHash('sha256');
    let written = 0;
    const write = async (chunks: Buffer[]): Promise<void> => {
      for (const chunk of chunks) hash.update(chunk);
      written += await writeAll(handle, chunks, written);
      this.#size = written;
    };
    let arrived = 0;
    const sink = new Writable({
      highWaterMark: writeBuffer,
      write(chunk: Buffer, _encoding, done) {
        write([chunk]).then(() => done(), done);
      },
      writev(items, done) {
        write(items.map(({ chunk }): Buffer => chunk)).then(() => done(), done);
      },
    });
    async function* counted(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      for await (const chunk of chunks) {
        arrived += chunk.length;
        if (arrived > maxBytes)
          throw new BridgeError('too_large', `the file is larger than ${toMegabytes(maxBytes)}`);
        yield chunk;
      }
    }
    try {
      await pipeline(source, counted, sink, signal === undefined ? {} : { signal });
    } catch (error) {
      throw toStorageError(error);
    }
    this.#sha256 = hash.digest('hex');
  }

  async commit(key: FileKey): Promise<void> {
    if (this.#handle === undefined || this.#settled) throw new Error('this pending file is settled already');
    const target = this.#toPath(key);
    try {
      await this.#handle.sync();
      await this.#close();
      await moveInto(this.path, target);
      this.#settled = true;
      await syncFolder(dirname(target));
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

/** Renames into a folder that may not exist yet, and that an emptying `remove` may take away in between. */
async function moveInto(path: string, target: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    const created = await mkdir(dirname(target), { recursive: true });
    if (created !== undefined) await syncFolder(dirname(created));
    try {
      return await rename(path, target);
    } catch (error) {
      if (tries >= 3 || !hasCode(error, 'ENOENT')) throw error;
    }
  }
}

/** Makes a rename durable. Systems that cannot sync a folder do so on their own. */
async function syncFolder(folder: string): Promise<void> {
  try {
    await using handle = await open(folder, 'r');
    await handle.sync();
  } catch (error) {
    // EPERM, EISDIR, EINVAL: not supported here. ENOENT: emptied and removed again meanwhile.
    if (!hasCode(error, 'EPERM', 'EISDIR', 'EINVAL', 'EACCES', 'ENOENT')) throw error;
  }
}

function toMegabytes(bytes: number): string {
  return bytes < 1024 * 1024 ? `${bytes} bytes` : `${Math.floor((bytes / 1024 / 1024) * 10) / 10} MB`;
}
