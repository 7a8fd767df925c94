import { AsyncLocalStorage } from 'node:async_hooks';
import { join } from 'node:path';

import type { Request, Router } from 'express';

import type { Access } from './access/access.ts';
import type { BridgeConfig } from './config/bridge-config.ts';
import { BridgeError } from './errors.ts';
import type { Asset } from './files/assets/asset.ts';
import { createAssetRegistry } from './files/assets/asset-registry.ts';
import { createUploadFinisher } from './files/assets/finish-upload.ts';
import { createAssetKeeper } from './files/assets/keep-asset.ts';
import { openPartialStore } from './files/assets/partial-store.ts';
import { receiveAsset } from './files/assets/receive-asset.ts';
import type { FilePolicy } from './files/collect-result.ts';
import type { LimitedFileStore } from './files/limit-storage.ts';
import { ownerMarkOf, toMark } from './files/saved-name.ts';
import { requireClaim } from './files/refuse-file.ts';
import { mayTouch } from './http/requests/identity.ts';
import { accountOf } from './http/requests/owner-of.ts';
import type { FoundFile } from './http/answers/describe-inputs.ts';
import type { Claim } from './http/requests/idempotency.ts';
import { createResumableUploadRoutes } from './http/routes/resumable-uploads.ts';
import type { UploadCall } from './http/routes/resumable-uploads.ts';
import { createV2AssetRoutes } from './http/routes/v2-assets.ts';
import type { JobLedger } from './jobs/job-ledger.ts';
import type { JobStore } from './jobs/job-store.ts';
import type { Logger } from './logging.ts';
import { createFindOutput } from './scheduling/submit/find-output.ts';
import type { FoundOutput } from './scheduling/submit/find-output.ts';
import { createAssetResolver } from './scheduling/submit/resolve-asset.ts';
import type { ResolveAsset } from './scheduling/submit/resolve-asset.ts';
import { sweepAssets } from './scheduling/upkeep/sweep-assets.ts';

export interface AssetParts {
  /** Where the file of an asset lies that a job is about to name. */
  readonly resolveAsset: ResolveAsset;
  /** Marks an upload as used now; false when there is no such file (any more), or not for this account. */
  touchUpload(key: `uploads/${string}`, account: string): Promise<boolean>;
  /** The asset, or the result, of that id that this caller may read, while it is kept. */
  findFile(request: Request, id: string): Promise<FoundFile | undefined>;
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
  access: Pick<Access, 'required' | 'seesAll' | 'limitsOf'>;
}

const maxAssets = 100_000;
const maxUnfinished = 1_000;
const maxUnfinishedOfKey = 200;

/** A part of the composition root: files that callers upload and name by ids, whole or in pieces. */
export async function buildAssets(
  { files: settings, server }: Pick<BridgeConfig, 'files' | 'server'>,
  { store, ledger, files, policy, log, now, access }: BuildAssetsDeps,
): Promise<AssetParts> {
  const { uploadTtlMs, uploadMaxBytes, resumableMaxBytes, resultTtlMs, dataDir } = settings;
  const { basePath } = server;
  const assets = await createAssetRegistry(
    { records: store, now, log, seesAll: access.seesAll },
    { maxAssets },
  );
  const keeper = createAssetKeeper(
    { assets, files, now },
    {
      retentionMs: uploadTtlMs,
      marksOwner: access.required,
    },
  );
  const findOutput = createFindOutput({ findResult: (id) => ledger.findResult(id), now }, { resultTtlMs });
  const calls = new AsyncLocalStorage<UploadCall>();
  const partials = await openPartialStore(
    {
      room: files.room,
      currentAccount: () => calls.getStore()?.account ?? '',
      seesAll: access.seesAll,
      now,
    },
    {
      directory: join(dataDir, 'partial'),
      maxUploads: maxUnfinished,
      // Without keys, many may share an address.
      maxPerAccount: access.required ? maxUnfinishedOfKey : maxUnfinished,
      ttlMs: uploadTtlMs,
    },
  );
  const checkRoom = (account: string) => {
    if (access.required) files.checkRoomOf(toMark(account));
  };
  const finisher = createUploadFinisher({ partials, keeper, files, policy });

  return {
    resolveAsset: createAssetResolver({
      assets,
      findOutput,
      files,
      // Without keys, whoever knows the id of an output was told it: it is a random UUID.
      mayUse: (account, job) => !access.required || job.account === account || access.seesAll(account),
      defaultExpiry: () => keeper.defaultExpiry(),
    }),
    async touchUpload(key, account) {
      const mark = ownerMarkOf(key.slice('uploads/'.length));
      // Without keys nobody knows whose an upload is that came without a secret, and its name is worthless to guess.
      const isOpen = access.required ? access.seesAll(account) : mark === undefined;
      if (!isOpen && mark !== toMark(account)) return false;
      if ((await files.stat(key)) === undefined) return false;
      await files.touch(key);
      return true;
    },
    async findFile(request, id) {
      const asset = assets.get(id, accountOf(request));
      const output = asset === undefined ? await findOutput(id) : undefined;
      if (output !== undefined && !mayTouch(request, output.job.account)) return undefined;
      const found = asset === undefined ? output && toFoundOutput(output) : toFoundAsset(asset);
      return found !== undefined && (await files.stat(found.key)) !== undefined ? found : undefined;
    },
    isUploadInUse: (savedName) => assets.isBlobInUse(savedName),
    async sweep(isUsedByJob) {
      await sweepAssets({ assets, files }, isUsedByJob);
      await partials.deleteExpired();
    },
    routes: ({ claimKey, isDraining }) => [
      createV2AssetRoutes(
        {
          ...{ assets, keeper, files, findOutput, claimKey, isDraining },
          receive(upload) {
            const { account } = upload;
            checkRoom(account);
            const maxBytes = Math.min(uploadMaxBytes, access.limitsOf(account).uploadBytes ?? Infinity);
            return receiveAsset({ store: files, policy, keeper }, upload, { maxBytes });
          },
          requireClaim: (file) => requireClaim(file, policy),
        },
        { basePath },
      ),
      createResumableUploadRoutes(
        {
          ...{ partials, finisher, assets, calls, isDraining },
          checkNew(account, size) {
            checkRoom(account);
            const limit = access.limitsOf(account).uploadBytes ?? Infinity;
            if (size > limit) throw new BridgeError('too_large', `a file of yours may have ${limit} bytes`);
          },
        },
        { basePath, maxBytes: resumableMaxBytes },
      ),
    ],
  };
}

function toFoundAsset({ savedName, contentType, filePath }: Asset) {
  return {
    key: `uploads/${savedName}`,
    contentType,
    fileName: filePath?.split('/').at(-1) ?? savedName,
  } as const;
}

function toFoundOutput({ job, result: { index, contentType, fileName } }: FoundOutput) {
  return { key: `results/${job.id}/${index}`, contentType, fileName } as const;
}
