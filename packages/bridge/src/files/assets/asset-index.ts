import { hashContent } from '../../lib/content-hash.ts';
import type { ContentHash } from '../../lib/content-hash.ts';
import type { Asset } from './asset.ts';

/** The same reference: these bytes, at this place, with these tags in any order. */
export type Reference = Pick<Asset, 'account' | 'hash' | 'filePath' | 'tags'>;

/** Finds ids of assets, however many share their bytes or say the same. */
export interface AssetIndex {
  add(asset: Asset): void;
  remove(asset: Asset): void;
  /** Ids over each file with these bytes, the newest file first. */
  blobs(hash: ContentHash, account: string): { savedName: string; ids: Iterable<string> }[];
  same(reference: Reference): Iterable<string>;
  isNamed(savedName: string): boolean;
}

export function createAssetIndex(): AssetIndex {
  const byHash = new Map<string, Map<string, Set<string>>>();
  const byReference = new Map<string, Set<string>>();
  const users = new Map<string, number>();

  return {
    add(asset) {
      const { id, savedName } = asset;
      const key = toHashKey(asset);
      const blobs = byHash.get(key) ?? new Map<string, Set<string>>();
      byHash.set(key, blobs);
      put(blobs, savedName, id);
      put(byReference, toReferenceKey(asset), id);
      users.set(savedName, (users.get(savedName) ?? 0) + 1);
    },
    remove(asset) {
      const { id, savedName } = asset;
      const key = toHashKey(asset);
      const blobs = byHash.get(key);
      if (blobs !== undefined) take(blobs, savedName, id);
      if (blobs?.size === 0) byHash.delete(key);
      take(byReference, toReferenceKey(asset), id);
      const left = (users.get(savedName) ?? 1) - 1;
      if (left > 0) users.set(savedName, left);
      else users.delete(savedName);
    },
    blobs(hash, account) {
      const blobs = [...(byHash.get(toHashKey({ hash, account })) ?? [])].toReversed();
      return blobs.map(([savedName, ids]) => ({ savedName, ids }));
    },
    same: (reference) => byReference.get(toReferenceKey(reference)) ?? [],
    isNamed: (savedName) => users.has(savedName),
  };
}

function put(sets: Map<string, Set<string>>, key: string, id: string): void {
  sets.set(key, (sets.get(key) ?? new Set()).add(id));
}

function take(sets: Map<string, Set<string>>, key: string, id: string): void {
  const ids = sets.get(key);
  ids?.delete(id);
  if (ids?.size === 0) sets.delete(key);
}

function toHashKey({ account, hash }: Pick<Asset, 'account' | 'hash'>): string {
  return `${account} ${hash}`;
}

/** Short, however long a path may be. */
function toReferenceKey({ account, hash, filePath, tags }: Reference): string {
  return hashContent(Buffer.from(JSON.stringify([account, hash, filePath, tags.toSorted()])));
}
