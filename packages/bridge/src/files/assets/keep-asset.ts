import { randomUUID } from 'node:crypto';

import type { ContentHash } from '../../lib/content-hash.ts';
import { createKeyedMutex } from '../../lib/keyed-mutex.ts';
import type { CheckedFile } from '../check-file.ts';
import type { FileKey, FileStore } from '../file-store.ts';
import { createSavedName } from '../saved-name.ts';
import type { Asset } from './asset.ts';
import type { AssetRegistry } from './asset-registry.ts';

/** A file that has come in and passed the check. */
export interface ReceivedAsset {
  /** Default: a new UUID. */
  id?: string;
  account: string;
  hash: ContentHash;
  size: number;
  checked: Pick<CheckedFile, 'contentType' | 'extension'>;
  filePath: string | null;
  tags: readonly string[];
  /** Seconds; undefined: as long as uploads are kept. */
  expiresIn: number | undefined;
  /** Moves the bytes into the store. Not called when they are there already. */
  place(key: FileKey): Promise<void>;
}

/** Another record over bytes that the account has uploaded before. */
export type AssetReference = Pick<Asset, 'account' | 'hash' | 'filePath' | 'tags'> & {
  expiresIn: number | undefined;
};

export interface KeptAsset {
  asset: Asset;
  /** Whether these bytes are new to the bridge, as far as the account may know. */
  createdNew: boolean;
}

export interface AssetKeeper {
  /** Always a new asset; its bytes are stored once for all assets of an account. */
  keep(received: ReceivedAsset): Promise<KeptAsset>;
  /**
   * A new asset without new bytes, or the very same reference made before; undefined when the account has not these bytes.
   * `allow` throws where what is known of the bytes speaks against it.
   */
  refer(
    reference: AssetReference,
    allow: (blob: Asset) => void,
  ): Promise<{ asset: Asset; isNew: boolean } | undefined>;
  /** When an asset that is referred to now may go, if its caller does not say. */
  defaultExpiry(): number;
}

export function createAssetKeeper(
  {
    assets,
    files,
    now,
  }: { assets: AssetRegistry; files: Pick<FileStore, 'stat' | 'touch' | 'remove'>; now: () => number },
  { retentionMs, marksOwner = false }: { retentionMs: number; marksOwner?: boolean },
): AssetKeeper {
  /** Of two that send the same bytes at once, the second finds those of the first. */
  const turns = createKeyedMutex();

  function toExpiry(expiresIn: number | undefined): Pick<Asset, 'expiresAt' | 'hasOwnExpiry'> {
    const retention = expiresIn === undefined ? retentionMs : expiresIn * 1000;
    return { expiresAt: now() + retention, hasOwnExpiry: expiresIn !== undefined };
  }

  /** Undefined as well when the file is gone from the disk. */
  async function findBlob(
    hash: ContentHash,
    account: string,
    extension?: string,
  ): Promise<Asset | undefined> {
    const found = assets.findBlob(hash, account, extension);
    if (found === undefined || (await files.stat(`uploads/${found.savedName}`)) === undefined)
      return undefined;
    await files.touch(`uploads/${found.savedName}`);
    // It may have been deleted meanwhile, and its file with it.
    return assets.findBlob(hash, account, extension)?.savedName === found.savedName ? found : undefined;
  }

  async function keep(received: ReceivedAsset): Promise<KeptAsset> {
    const { account, hash, size, filePath, tags, checked, expiresIn } = received;
    const asset = {
      ...{ id: received.id ?? randomUUID(), account, hash, size, filePath, tags, createdAt: now() },
      ...{ contentType: checked.contentType, ...toExpiry(expiresIn) },
    };
    // A file keeps the extension of its first name, and a ComfyUI goes by it.
    const blob = await findBlob(hash, account, checked.extension);
    if (blob !== undefined) {
      const minted = { ...asset, savedName: blob.savedName };
      await assets.mint(minted);
      return { asset: minted, createdNew: false };
    }
    const minted = {
      ...asset,
      savedName: createSavedName(checked.extension, marksOwner ? account : undefined),
    };
    const key: FileKey = `uploads/${minted.savedName}`;
    await received.place(key);
    try {
      await assets.mint(minted);
    } catch (error) {
      await files.remove(key);
      throw error;
    }
    return { asset: minted, createdNew: true };
  }

  return {
    keep: (received) => turns.run(`${received.account} ${received.hash}`, () => keep(received)),
    async refer(reference, allow) {
      const { account, hash, filePath, tags, expiresIn } = reference;
      const blob = await findBlob(hash, account);
      if (blob === undefined) return undefined;
      allow(blob);
      const same = assets.findSame(reference);
      const expiry = toExpiry(expiresIn);
      if (same !== undefined) return { asset: await assets.extend(same, expiry.expiresAt), isNew: false };
      const { size, contentType, savedName } = blob;
      const asset = {
        ...{ id: randomUUID(), account, hash, size, contentType, savedName, filePath, tags },
        ...{ createdAt: now(), ...expiry },
      };
      await assets.mint(asset);
      return { asset, isNew: true };
    },
    defaultExpiry: () => now() + retentionMs,
  };
}
