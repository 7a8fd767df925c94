import type { Readable } from 'node:stream';

import type { ContentHash } from '../lib/content-hash.ts';

/** `uploads/<savedName>` or `results/<jobId>/<index>` (a number): lower-case folder, then names that we made ourselves. */
export type FileKey = `uploads/${string}` | `results/${string}`;

/** Up to here contents are kept in memory whole, for a moment, where that is cheaper than a trip over the disk. */
export const smallBytes = 256 * 1024;

export interface StoredFileInfo {
  key: FileKey;
  /** bytes */
  size: number;
  modifiedAt: Date;
}

/**
 * A file that is being received: it lies under a temporary name until it is checked and committed, or discarded. What a
 * crash leaves behind is swept at the next start.
 */
export interface PendingFile {
  /** Where the bytes lie now, for checks that need to seek (picture headers, magic bytes). */
  readonly path: string;
  /** Bytes received so far. */
  readonly size: number;
  /** Of all bytes; only after `receive` resolved. */
  readonly hash: ContentHash;
  /**
   * Streams `source` to disk with back-pressure, counting and hashing. Rejects with `BridgeError('too_large')` as soon as
   * `maxBytes` is passed, with `BridgeError('storage_full')` when the disk is full, and destroys `source` then.
   */
  receive(source: Readable, options: { maxBytes: number; signal?: AbortSignal }): Promise<void>;
  /** Makes it durable (fsync of file and folder) under `key`; an existing file of that key is replaced. */
  commit(key: FileKey): Promise<void>;
  /** Removes it. Safe to call twice and after `commit` (then it does nothing). */
  discard(): Promise<void>;
}

/** Both ends included, as in HTTP. */
export interface ByteRange {
  start: number;
  end: number;
}

/** Where uploads and results lie. The local directory is the default; object storage can stand behind the same port. */
export interface FileStore {
  /** `purpose` decides who gives way when room is short. */
  createPending(purpose: 'upload' | 'result'): Promise<PendingFile>;
  /**
   * Stores what is in memory anyway: durable once resolved, as `PendingFile.commit`. Rejects with
   * `BridgeError('storage_full')` when there is no room, and has kept nothing then.
   */
  put(key: FileKey, bytes: Buffer): Promise<void>;
  /** Undefined when there is no such file. */
  stat(key: FileKey): Promise<StoredFileInfo | undefined>;
  /**
   * Streams a file, or the part of it from the byte `start` up to and including `end`, which the file must have; `size` is
   * that of the whole file. Rejects with `BridgeError('not_found')` when it is gone.
   */
  open(key: FileKey, range?: ByteRange): Promise<{ stream: Readable; size: number }>;
  /**
   * Stores the content of one file under a second key, without copying the bytes where the disk can do that; durable once
   * resolved. What becomes of the one has no effect on the other. Rejects with `BridgeError('not_found')` when it is gone.
   */
  copy(from: FileKey, to: FileKey): Promise<void>;
  /**
   * Takes over a file that lies elsewhere, without copying its bytes where it lies on the same disk: durable once resolved,
   * and no longer at `path` then.
   */
  adopt(path: string, key: FileKey): Promise<void>;
  /** Marks as used now, so that expiry counts from here. */
  touch(key: FileKey): Promise<void>;
  /** Removing what is not there is fine. */
  remove(key: FileKey): Promise<void>;
  /** Every file of a kind, oldest unknown order. */
  list(kind: 'uploads' | 'results'): AsyncIterable<StoredFileInfo>;
}
