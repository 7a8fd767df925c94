import type { AssetRegistry } from '../../files/assets/asset-registry.ts';
import type { FileStore } from '../../files/file-store.ts';

export interface SweepAssetsDeps {
  assets: Pick<AssetRegistry, 'sweep' | 'dropOrphan' | 'isBlobInUse'>;
  files: Pick<FileStore, 'remove'>;
}

/** Forgets expired assets, and removes files that no asset and no unfinished job names any more. */
export async function sweepAssets(
  { assets, files }: SweepAssetsDeps,
  isUploadInUse: (savedName: string) => boolean,
): Promise<void> {
  for (const savedName of await assets.sweep()) {
    if (isUploadInUse(savedName) || assets.isBlobInUse(savedName)) continue;
    await files.remove(`uploads/${savedName}`);
    assets.dropOrphan(savedName);
  }
}
