import { BridgeError } from '../errors.ts';
import type { FileStore, PendingFile } from './file-store.ts';

/** Of the quota, what uploads may fill: the rest is for the results of jobs that were accepted already. */
const uploadShare = 0.9;

/**
 * Keeps uploads and results together under a quota. What does not fit is refused with `storage_full` while it streams, and
 * room comes back as files are delivered and expire.
 */
export async function limitStorage(store: FileStore, { maxBytes }: { maxBytes: number }): Promise<FileStore> {
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
    async remove(key) {
      const info = await store.stat(key);
      await store.remove(key);
      used -= info?.size ?? 0;
    },
  };
}
