import { createWriteStream } from 'node:fs';
import { mkdir, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { finished, Transform } from 'node:stream';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { FileStore as TusFileStore } from '@tus/file-store';
import { Upload } from '@tus/server';

import { BridgeError } from '../../errors.ts';
import type { StorageRoom } from '../limit-storage.ts';
import { toStorageError } from '../storage-error.ts';
import { loadPartials, removePartial, writePartial } from './partial-records.ts';
import type { PartialUpload } from './partial-records.ts';

export interface PartialStoreDeps {
  room: StorageRoom;
  /** Whose request is being handled. */
  currentAccount(): string;
  /** Accounts to whom those of others are open too; default none. */
  seesAll?(account: string): boolean;
  now: () => number;
}

export interface PartialStoreOptions {
  directory: string;
  maxUploads: number;
  /** Default: all of them. */
  maxPerAccount?: number;
  /** An upload that is not complete after this long is given up, in ms. */
  ttlMs: number;
}

interface Entry {
  readonly upload: PartialUpload;
  /** Bytes on the disk. */
  received: number;
  /** Bytes counted against the quota: those on their way to the disk among them. */
  counted: number;
  isReceiving: boolean;
}

/** Opens the folder of unfinished uploads; what an earlier process left there can be gone on with. */
export async function openPartialStore(
  deps: PartialStoreDeps,
  options: PartialStoreOptions,
): Promise<PartialStore> {
  await mkdir(options.directory, { recursive: true, mode: 0o700 });
  const store = new PartialStore(deps, options);
  for (const { upload, received } of await loadPartials(options.directory)) store.restore(upload, received);
  return store;
}

/**
 * Where resumable uploads (tus 1.0) lie until they are complete. The protocol's own store writes the bytes; this one says
 * whose they are, counts them as they come, and bounds how many there are.
 */
export class PartialStore extends TusFileStore {
  readonly #deps: PartialStoreDeps;
  readonly #options: PartialStoreOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(deps: PartialStoreDeps, options: PartialStoreOptions) {
    // The protocol's own expiry goes by the system's clock, and looks for uploads that are complete and gone.
    super({ directory: options.directory, expirationPeriodInMilliseconds: 0 });
    this.#deps = deps;
    this.#options = options;
    // Not `creation-defer-length`: a length that is known lets an upload be refused before it is sent.
    this.extensions = ['creation', 'creation-with-upload', 'termination', 'expiration'];
  }

  restore(upload: PartialUpload, received: number): void {
    this.#entries.set(upload.id, { upload, received, counted: received, isReceiving: false });
    this.#deps.room.count(received);
  }

  /** Undefined for an unknown or expired one, and for one of another account. */
  find(id: string, account: string): PartialUpload | undefined {
    const upload = this.#entries.get(id)?.upload;
    if (upload === undefined || this.expiresAt(upload) <= this.#deps.now()) return undefined;
    return upload.account === account || this.#deps.seesAll?.(account) === true ? upload : undefined;
  }

  isComplete({ id, size }: PartialUpload): boolean {
    return this.#entries.get(id)?.received === size;
  }

  pathOf({ id }: PartialUpload): string {
    return join(this.directory, id);
  }

  /** ms since the epoch */
  expiresAt({ createdAt }: PartialUpload): number {
    return createdAt + this.#options.ttlMs;
  }

  override async create(file: Upload): Promise<Upload> {
    if (this.#entries.size >= this.#options.maxUploads) {
      throw new BridgeError('limited', 'too many uploads are unfinished: try again later', {
        retryAfter: 60,
      });
    }
    const { id, size = 0, metadata = {} } = file;
    this.#deps.room.check(size);
    const account = this.#deps.currentAccount();
    this.#checkAccount(account);
    const upload: PartialUpload = { id, account, size, metadata, createdAt: this.#deps.now() };
    this.restore(upload, 0);
    try {
      await (await open(this.pathOf(upload), 'wx', 0o600)).close();
      await writePartial(this.directory, upload);
    } catch (error) {
      await this.remove(id);
      throw toStorageError(error);
    }
    file.creation_date = new Date(upload.createdAt).toISOString();
    return file;
  }

  override async getUpload(id: string): Promise<Upload> {
    const { upload, received } = this.#require(id);
    const { size, metadata, createdAt } = upload;
    const creation_date = new Date(createdAt).toISOString();
    return new Upload({ id, size, offset: received, metadata: { ...metadata }, creation_date });
  }

  /** Everything that has come is kept, however the transfer ends. */
  override async write(source: Readable, id: string, offset: number): Promise<number> {
    const entry = this.#require(id);
    const path = join(this.directory, id);
    const target = createWriteStream(path, { flags: 'r+', start: offset, highWaterMark: 1024 * 1024 });
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    finished(target, () => resolve());
    entry.isReceiving = true;
    try {
      await pipeline(source, this.#meter(entry), target);
    } catch (error) {
      throw toStorageError(error);
    } finally {
      await closed;
      entry.isReceiving = false;
      entry.received = (await stat(path)).size;
      this.#count(entry, entry.received);
    }
    return entry.received;
  }

  override async remove(id: string): Promise<void> {
    const entry = this.#entries.get(id);
    await removePartial(this.directory, id);
    if (entry === undefined || !this.#entries.delete(id)) return;
    this.#count(entry, 0);
  }

  override async deleteExpired(): Promise<number> {
    const now = this.#deps.now();
    const expired = [...this.#entries.values()].filter(
      ({ upload, isReceiving }) => !isReceiving && this.expiresAt(upload) <= now,
    );
    for (const { upload } of expired) await this.remove(upload.id);
    return expired.length;
  }

  #checkAccount(account: string): void {
    const limit = this.#options.maxPerAccount ?? Infinity;
    let own = 0;
    for (const { upload } of this.#entries.values()) if (upload.account === account) own += 1;
    if (own >= limit)
      throw new BridgeError('limited', `${limit} uploads of yours are unfinished: end some of them`, {
        retryAfter: 60,
      });
  }

  #require(id: string): Entry {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw new BridgeError('not_found', 'there is no such upload (any more)');
    return entry;
  }

  #count(entry: Entry, bytes: number): void {
    this.#deps.room.count(bytes - entry.counted);
    entry.counted = bytes;
  }

  /** Counts what streams through, and refuses what goes beyond the quota. */
  #meter(entry: Entry): Transform {
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        try {
          this.#deps.room.check(chunk.length);
        } catch (error) {
          return done(error instanceof Error ? error : new Error(String(error)));
        }
        this.#count(entry, entry.counted + chunk.length);
        done(null, chunk);
      },
    });
  }
}
