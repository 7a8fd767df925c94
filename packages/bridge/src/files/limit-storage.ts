import { stat } from 'node:fs/promises';

import { BridgeError } from '../errors.ts';
import type { FileStore, PendingFile } from './file-store.ts';
import { ownerMarkOf } from './saved-name.ts';

/** Of the quota, what uploads may fill: the rest is for the results of jobs that were accepted already. */
const uploadShare = 0.9;

/** The quota, for what lies beside the store and is an upload on its way. */
export interface StorageRoom {
  /** Throws `BridgeError('storage_full')` where an upload of so many bytes more would not fit; takes nothing. */
  check(bytes: number): void;
  /** Counts bytes that came (or, below zero, went), whether they fit or not. */
  count(bytes: number): void;
}

export interface LimitedFileStore extends FileStore {
  readonly room: StorageRoom;
  /** Throws `BridgeError('limited')` when the owner of this mark has as much stored as it may. */
  checkRoomOf(mark: string): void;
  usage(): StorageUsage;
}

export interface StorageUsage {
  usedBytes: number;
  quotaBytes: number;
  /** Ever kept since the start. */
  keptBytes: { uploads: number; results: number };
}

export interface StorageLimits {
  /** Of everything together. */
  maxBytes: number;
  /** Of the uploads of one owner, by its mark; default any number. */
  maxBytesOf?: (mark: string) => number;
}

/**
 * Keeps uploads and results together under a quota. What does not fit is refused with `storage_full` while it streams, and
 * room comes back as files are delivered and expire.
 */
export async function limitStorage(
  store: FileStore,
  { maxBytes, maxBytesOf = () => Infinity }: StorageLimits,
): Promise<LimitedFileStore> {
  let used = 0;
  const kept = { uploads: 0, results: 0 };
  /** Of uploads, by the mark of whose they are. */
  const owned = new Map<string, number>();
  for (const kind of ['uploads', 'results'] as const) {
    for await (const { key, size } of store.list(kind)) count(key, size);
  }

  /** Bytes that came, or went. */
  function count(key: string, bytes: number): void {
    used += bytes;
    const mark = markOf(key);
    if (mark === undefined) return;
    const left = (owned.get(mark) ?? 0) + bytes;
    if (left > 0) owned.set(mark, left);
    else owned.delete(mark);
  }

  function noteKept(key: string, bytes: number): void {
    kept[key.startsWith('uploads/') ? 'uploads' : 'results'] += bytes;
  }

  function checkOwner(key: string, bytes: number): void {
    const mark = markOf(key);
    if (mark === undefined || (owned.get(mark) ?? 0) + bytes <= maxBytesOf(mark)) return;
    throw ownerIsFull();
  }

  function ownerIsFull(): BridgeError {
    return new BridgeError('limited', 'as much as you may have stored is stored: delete something, or wait', {
      retryAfter: 60,
    });
  }

  function full(): BridgeError {
    return new BridgeError('storage_full', 'the storage of the bridge is full: try again later', {
      retryAfter: 60,
    });
  }

  /** Room that a file of this kind may take; results may use what uploads may not. */
  function roomFor(purpose: 'upload' | 'result'): number {
    return Math.max(0, maxBytes * (purpose === 'upload' ? uploadShare : 1) - used);
  }

  function limit(pending: PendingFile, purpose: 'upload' | 'result'): PendingFile {
    return {
      get path() {
        return pending.path;
      },
      get size() {
        return pending.size;
      },
      get hash() {
        return pending.hash;
      },
      async receive(source, options) {
        const room = roomFor(purpose);
        if (room >= options.maxBytes) return pending.receive(source, options);
        try {
          await pending.receive(source, { ...options, maxBytes: room });
        } catch (error) {
          throw error instanceof BridgeError && error.code === 'too_large' ? full() : error;
        }
      },
      async commit(key) {
        const { size } = pending;
        checkOwner(key, size);
        // Taken before it is there: others come meanwhile.
        count(key, size);
        try {
          await pending.commit(key);
          noteKept(key, size);
        } catch (error) {
          count(key, -size);
          throw error;
        }
      },
      discard: () => pending.discard(),
    };
  }

  return {
    ...store,
    createPending: async (purpose) => limit(await store.createPending(purpose), purpose),
    async put(key, bytes) {
      const size = bytes.length;
      if (roomFor(key.startsWith('uploads/') ? 'upload' : 'result') < size) throw full();
      // Taken before it is written: others come meanwhile.
      count(key, size);
      try {
        await store.put(key, bytes);
        noteKept(key, size);
      } catch (error) {
        count(key, -size);
        throw error;
      }
    },
    // What shares its bytes with another file counts as if it did not: either of the two may be removed first.
    async copy(from, to) {
      const size = (await store.stat(from))?.size ?? 0;
      if (roomFor(to.startsWith('uploads/') ? 'upload' : 'result') < size) throw full();
      count(to, size);
      try {
        await store.copy(from, to);
      } catch (error) {
        count(to, -size);
        throw error;
      }
    },
    async adopt(path, key) {
      // What is gone is told by the store.
      const size = (await stat(path).catch(() => undefined))?.size ?? 0;
      checkOwner(key, size);
      count(key, size);
      try {
        await store.adopt(path, key);
        noteKept(key, size);
      } catch (error) {
        count(key, -size);
        throw error;
      }
    },
    checkRoomOf(mark) {
      if ((owned.get(mark) ?? 0) >= maxBytesOf(mark)) throw ownerIsFull();
    },
    usage: () => ({ usedBytes: used, quotaBytes: maxBytes, keptBytes: { ...kept } }),
    room: {
      check(bytes) {
        if (roomFor('upload') < bytes) throw full();
      },
      count(bytes) {
        used += bytes;
      },
    },
    async remove(key) {
      const info = await store.stat(key);
      await store.remove(key);
      count(key, -(info?.size ?? 0));
    },
  };
}

function markOf(key: string): string | undefined {
  return key.startsWith('uploads/') ? ownerMarkOf(key.slice('uploads/'.length)) : undefined;
}
