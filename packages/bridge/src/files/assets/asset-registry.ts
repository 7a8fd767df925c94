import { BridgeError } from '../../errors.ts';
import type { ContentHash } from '../../lib/content-hash.ts';
import type { RecordCollections } from '../../lib/records.ts';
import type { Logger } from '../../logging.ts';
import { parseAsset } from './asset.ts';
import { createAssetIndex } from './asset-index.ts';
import type { Reference } from './asset-index.ts';
import type { Asset } from './asset.ts';

/**
 * Every asset that was uploaded, in memory, and written down before anybody is told of it. An asset that is unknown, has
 * expired, or belongs to another account is not there: nobody can tell these apart.
 */
export interface AssetRegistry {
  /** Keeps a new asset. Rejects with `BridgeError('storage_full')` when there are too many. */
  mint(asset: Asset): Promise<void>;
  get(id: string, account: string): Asset | undefined;
  /** As `get`, and its file stays for a minute whatever happens to the asset: so that a job can be written that names it. */
  use(id: string, account: string): Asset | undefined;
  /** An asset of the account over these bytes, of the newest file where there are several. */
  findBlob(hash: ContentHash, account: string, extension?: string): Asset | undefined;
  /** An asset of the account with these bytes, this place and these tags. */
  findSame(reference: Reference): Asset | undefined;
  /** Puts off the end of an asset, never forward; the asset as it is then. */
  extend(asset: Asset, expiresAt: number): Promise<Asset>;
  /** False when there is none. */
  remove(id: string, account: string): Promise<boolean>;
  /** True while an asset names the file, or a job may be about to. */
  isBlobInUse(savedName: string): boolean;
  /** Forgets what has expired; then the files that have lost their last asset, until `dropOrphan` is called for them. */
  sweep(): Promise<string[]>;
  dropOrphan(savedName: string): void;
}

/** The part of the job store that keeps small texts. */
export type AssetRecords = Pick<RecordCollections, 'readRecords' | 'writeRecords' | 'removeRecords'>;

const collection = 'assets';
/** Others have their turn in between. */
const sweptAtOnce = 500;
/** From reading an asset to storing the job that uses it. */
const holdMs = 60_000;

export interface AssetRegistryDeps {
  records: AssetRecords;
  now: () => number;
  log: Logger;
  /** Accounts to whom those of others are open too; default none. */
  seesAll?: (account: string) => boolean;
}

export async function createAssetRegistry(
  { records, now, log, seesAll = () => false }: AssetRegistryDeps,
  { maxAssets }: { maxAssets: number },
): Promise<AssetRegistry> {
  const assets = new Map<string, Asset>();
  const index = createAssetIndex();
  const heldUntil = new Map<string, number>();
  const orphans = new Set<string>();

  function put(asset: Asset): void {
    assets.set(asset.id, asset);
    index.add(asset);
    orphans.delete(asset.savedName);
  }

  function drop(asset: Asset): void {
    if (!assets.delete(asset.id)) return;
    index.remove(asset);
    if (!index.isNamed(asset.savedName)) orphans.add(asset.savedName);
  }

  function isLiving(asset: Asset): boolean {
    return asset.expiresAt > now();
  }

  function get(id: string, account: string): Asset | undefined {
    const asset = assets.get(id);
    if (asset === undefined || !isLiving(asset)) return undefined;
    return asset.account === account || seesAll(account) ? asset : undefined;
  }

  function firstLiving(ids: Iterable<string>): Asset | undefined {
    for (const id of ids) {
      const asset = assets.get(id);
      if (asset !== undefined && isLiving(asset)) return asset;
    }
    return undefined;
  }

  function findBlob(hash: ContentHash, account: string, extension = ''): Asset | undefined {
    for (const { savedName, ids } of index.blobs(hash, account)) {
      const asset = savedName.endsWith(extension) ? firstLiving(ids) : undefined;
      if (asset !== undefined) return asset;
    }
    return undefined;
  }

  const isHeld = (savedName: string) => (heldUntil.get(savedName) ?? 0) > now();

  for (const [id, text] of await records.readRecords(collection)) {
    const asset = parseAsset(text);
    if (asset === undefined) log.warn({ assetId: id }, 'an asset cannot be read and is passed over');
    else put(asset);
  }

  return {
    async mint(asset) {
      if (assets.size >= maxAssets) {
        throw new BridgeError(
          'storage_full',
          'the bridge holds as many assets as it may: delete some, or try again later',
          { retryAfter: 60 },
        );
      }
      // At once, so that its file is not taken for unused meanwhile.
      put(asset);
      try {
        await records.writeRecords(collection, new Map([[asset.id, JSON.stringify(asset)]]), {
          durable: true,
        });
      } catch (error) {
        drop(asset);
        throw error;
      }
    },
    get,
    use(id, account) {
      const asset = get(id, account);
      if (asset !== undefined) heldUntil.set(asset.savedName, now() + holdMs);
      return asset;
    },
    findBlob,
    findSame: (reference) => firstLiving(index.same(reference)),
    async extend(asset, expiresAt) {
      const current = assets.get(asset.id);
      if (current === undefined || expiresAt <= current.expiresAt) return current ?? asset;
      const extended = { ...current, expiresAt };
      assets.set(asset.id, extended);
      await records.writeRecords(collection, new Map([[asset.id, JSON.stringify(extended)]]));
      return extended;
    },
    async remove(id, account) {
      const asset = get(id, account);
      if (asset === undefined) return false;
      drop(asset);
      try {
        await records.removeRecords(collection, [id]);
      } catch (error) {
        put(asset);
        throw error;
      }
      return true;
    },
    isBlobInUse: (savedName) => index.isNamed(savedName) || isHeld(savedName),
    async sweep() {
      for (const savedName of heldUntil.keys()) if (!isHeld(savedName)) heldUntil.delete(savedName);
      const expired = [...assets.values()].filter((asset) => !isLiving(asset));
      while (expired.length > 0) {
        const some = expired.splice(-sweptAtOnce);
        await records.removeRecords(
          collection,
          some.map(({ id }) => id),
        );
        some.forEach(drop);
      }
      return [...orphans].filter((savedName) => !isHeld(savedName));
    },
    dropOrphan: (savedName) => void orphans.delete(savedName),
  };
}
