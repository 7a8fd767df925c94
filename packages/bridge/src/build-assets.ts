import { AsyncLocalStorage } from 'node:async_hooks';
import { join } from 'node:path';

import type { Request, Router } from 'express';

import type { BridgeConfig } from './config/bridge-config.ts';
import { createAssetRegistry } from './files/assets/asset-registry.ts';
import { createUploadFinisher } from './files/assets/finish-upload.ts';
import { createAssetKeeper } from './files/assets/keep-asset.ts';
import { openPartialStore } from './files/assets/partial-store.ts';
import { receiveAsset } from './files/assets/receive-asset.ts';
import type { FilePolicy } from './files/collect-result.ts';
import type { LimitedFileStore } from './files/limit-storage.ts';
import { requireClaim } from './files/refuse-file.ts';
import type { Claim } from './http/requests/idempotency.ts';
import { createResumableUploadRoutes } from './http/routes/resumable-uploads.ts';
import type { UploadCall } from './http/routes/resumable-uploads.ts';
import { createV2AssetRoutes } from './http/routes/v2-assets.ts';
import type { JobLedger } from './jobs/job-ledger.ts';
import type { JobStore } from './jobs/job-store.ts';
import type { Logger } from './logging.ts';
import { createFindOutput } from './scheduling/submit/find-output.ts';
import { createAssetResolver } from './scheduling/submit/resolve-asset.ts';
import type { ResolveAsset } from './scheduling/submit/resolve-asset.ts';
import { sweepAssets } from './scheduling/upkeep/sweep-assets.ts';

export interface AssetParts {
  /** Where the file of an asset lies that a job is about to name. */
  readonly resolveAsset: ResolveAsset;
  /** True while an asset names the file, or a job may be about to. */
  isUploadInUse(savedName: string): boolean;
  /** Removes expired assets and given-up uploads; called in rounds. */
  sweep(isUsedByJob: (savedName: string) => boolean): Promise<void>;
  routes(deps: AssetRouteDeps): Router[];
}

export interface AssetRouteDeps {
  /** Claims the request's `Idempotency-Key`, if it has one. */
  claimKey(request: Request): Promise<Claim | undefined>;
  isDraining(): boolean;
}

export interface BuildAssetsDeps {
  store: JobStore;
  ledger: Pick<JobLedger, 'findResult'>;
  files: LimitedFileStore;
  policy: FilePolicy;
  log: Logger;
  now: () => number;
}

const maxAssets = 100_000;
const maxUnfinished = 1_000;

/** A part of the composition root: files that callers upload and name by ids, whole or in pieces. */
export async function buildAssets(
  { files: settings, server }: Pick<BridgeConfig, 'files' | 'server'>,
  { store, ledger, files, policy, log, now }: BuildAssetsDeps,
): Promise<AssetParts> {
  const { uploadTtlMs, uploadMaxBytes, resumableMaxBytes, resultTtlMs, dataDir } = settings;
  const { basePath } = server;
  const assets = await createAssetRegistry({ records: store, now, log }, { maxAssets });
  const keeper = createAssetKeeper({ assets, files, now }, { retentionMs: uploadTtlMs });
  const findOutput = createFindOutput({ findResult: (id) => ledger.findResult(id), now }, { resultTtlMs });
  const calls = new AsyncLocalStorage<UploadCall>();
  const partials = await openPartialStore(
    { room: files.room, currentAccount: () => calls.getStore()?.account ?? '', now },
    { directory: join(dataDir, 'partial'), maxUploads: maxUnfinished, ttlMs: uploadTtlMs },
  );
  const finisher = createUploadFinisher({ partials, keeper, files, policy });

  return {
    resolveAsset: createAssetResolver({
      assets,
      findOutput,
      files,
      defaultExpiry: () => keeper.defaultExpiry(),
    }),
    isUploadInUse: (savedName) => assets.isBlobInUse(savedName),
    async sweep(isUsedByJob) {
      await sweepAssets({ assets, files }, isUsedByJob);
      await partials.deleteExpired();
    },
    routes: ({ claimKey, isDraining }) => [
      createV2AssetRoutes(
        {
          ...{ assets, keeper, files, findOutput, claimKey, isDraining },
          receive: (upload) =>
            receiveAsset({ store: files, policy, keeper }, upload, { maxBytes: uploadMaxBytes }),
          requireClaim: (file) => requireClaim(file, policy),
        },
        { basePath },
      ),
      createResumableUploadRoutes(
        { partials, finisher, assets, calls, isDraining },
        { basePath, maxBytes: resumableMaxBytes },
      ),
    ],
  };
}
