import { extname } from 'node:path';

import type { Asset } from '../../files/assets/asset.ts';
import type { AssetRegistry } from '../../files/assets/asset-registry.ts';
import type { FileStore } from '../../files/file-store.ts';
import { createSavedName, isSavedName } from '../../files/saved-name.ts';
import type { Job } from '../../jobs/job.ts';
import type { FindOutput, FoundOutput } from './find-output.ts';

export interface ResolveAssetDeps {
  assets: Pick<AssetRegistry, 'use' | 'extend'>;
  findOutput: FindOutput;
  files: Pick<FileStore, 'stat' | 'touch' | 'copy'>;
  /** Whether the account may use what that job made. */
  mayUse(account: string, job: Job): boolean;
  /** When an asset that is used now may go. */
  defaultExpiry(): number;
}

export interface ResolvedAsset {
  /** Lies under `uploads/<savedName>`, and stays for long enough to store a job that names it. */
  savedName: string;
  contentType: string;
}

/** The account's own asset, or the output of a job that it may use. */
export type ResolveAsset = (assetId: string, account: string) => Promise<ResolvedAsset | undefined>;

/** Outputs whose copies are remembered, so that the next job takes the same. */
const maxCopies = 1_000;
/** An asset's end is put off in steps of this, so that using it does not write each time. */
const extensionMs = 60_000;

export function createAssetResolver(deps: ResolveAssetDeps): ResolveAsset {
  const { assets, files } = deps;
  const copies = new Map<string, string>();

  async function isThere(savedName: string): Promise<boolean> {
    if ((await files.stat(`uploads/${savedName}`)) === undefined) return false;
    await files.touch(`uploads/${savedName}`);
    return true;
  }

  async function putOff(asset: Asset): Promise<void> {
    const expiresAt = deps.defaultExpiry();
    if (!asset.hasOwnExpiry && expiresAt - asset.expiresAt >= extensionMs)
      await assets.extend(asset, expiresAt);
  }

  /** The result is its job's, and goes with it: what is staged is a second name for the same bytes. */
  async function copyOutput({ job, result }: FoundOutput): Promise<string | undefined> {
    const known = copies.get(result.id);
    if (known !== undefined && (await isThere(known))) return known;
    const savedName = createSavedName(extname(result.fileName).toLowerCase());
    const from = `results/${job.id}/${result.index}` as const;
    if (!isSavedName(savedName) || (await files.stat(from)) === undefined) return undefined;
    await files.copy(from, `uploads/${savedName}`);
    const [oldest] = copies.keys();
    if (copies.size >= maxCopies && oldest !== undefined) copies.delete(oldest);
    copies.set(result.id, savedName);
    return savedName;
  }

  return async (assetId, account) => {
    const id = assetId.toLowerCase();
    const asset = assets.use(id, account);
    if (asset !== undefined) {
      if (!(await isThere(asset.savedName))) return undefined;
      await putOff(asset);
      return { savedName: asset.savedName, contentType: asset.contentType };
    }
    const output = await deps.findOutput(id);
    if (output === undefined || !deps.mayUse(account, output.job)) return undefined;
    const savedName = await copyOutput(output);
    return savedName === undefined ? undefined : { savedName, contentType: output.result.contentType };
  };
}
