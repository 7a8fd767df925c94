import { Blake3Hasher, blake3 } from '@napi-rs/blake-hash';

/** A file's content as Comfy API v2 names it: `blake3:<64 hex digits>`. */
export type ContentHash = `blake3:${string}`;

export interface ContentHasher {
  update(bytes: Buffer): void;
  /** Once, after the last byte. */
  digest(): ContentHash;
}

/** Native code, several GB/s: a megabyte takes well under a millisecond of the event loop. */
export function createContentHasher(): ContentHasher {
  const hasher = new Blake3Hasher();
  return {
    update: (bytes) => void hasher.update(bytes),
    digest: () => `blake3:${hasher.digest('hex')}`,
  };
}

export function hashContent(bytes: Buffer): ContentHash {
  return `blake3:${blake3(bytes).toString('hex')}`;
}

/** Lower-cased; undefined when it is not written as `blake3:<64 hex digits>`. */
export function parseContentHash(text: string): ContentHash | undefined {
  const hex = /^blake3:([0-9a-f]{64})$/i.exec(text)?.[1];
  return hex === undefined ? undefined : `blake3:${hex.toLowerCase()}`;
}
