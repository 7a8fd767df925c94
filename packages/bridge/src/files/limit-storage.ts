import { BridgeError } from '../errors.ts';
import type { FileStore, PendingFile } from './file-store.ts';

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
}

/**
 * Keeps uploads and results together under a quota. What does not fit is refused with `storage_full` while it streams, and
 * room comes back as files are delivered and expire.
 */
export async function limitStorage(
  store: FileStore,
  { maxBytes }: { maxBytes: number },
): Promise<LimitedFileStore> {
  let used = 0;
  for (const kind of ['uploads', 'results'] as const) {
    for await (const { size } of store.list(kind)) used += size;
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
        await pending.commit(key);
        used += pending.size;
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
      used += size;
      try {
        await store.put(key, bytes);
      } catch (error) {
        used -= size;
        throw error;
      }
    },
    // What shares its bytes with another file counts as if it did not: either of the two may be removed first.
    async copy(from, to) {
      const size = (await store.stat(from))?.size ?? 0;
      if (roomFor(to.startsWith('uploads/') ? 'upload' : 'result') < size) throw full();
      used += size;
      try {
        await store.copy(from, to);
      } catch (error) {
        used -= size;
        throw error;
      }
    },
    async adopt(path, key) {
      await store.adopt(path, key);
      used += (await store.stat(key))?.size ?? 0;
    },
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
      used -= info?.size ?? 0;
    },
  };
}
