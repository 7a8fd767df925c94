import { v2AssetFromHashSchema } from '@comfy-bridge/protocol';
import type { V2Asset } from '@comfy-bridge/protocol';
import { Router } from 'express';
import type { Request, Response } from 'express';

import { BridgeError } from '../../errors.ts';
import type { Asset } from '../../files/assets/asset.ts';
import type { AssetRegistry } from '../../files/assets/asset-registry.ts';
import type { AssetKeeper, KeptAsset } from '../../files/assets/keep-asset.ts';
import type { AssetUpload } from '../../files/assets/receive-asset.ts';
import type { FileStore } from '../../files/file-store.ts';
import { parseContentHash } from '../../lib/content-hash.ts';
import type { FindOutput, FoundOutput } from '../../scheduling/submit/find-output.ts';
import { describeAsset, describeOutput } from '../answers/describe-asset.ts';
import type { AssetContext } from '../answers/describe-asset.ts';
import { releasing } from '../requests/idempotency.ts';
import type { Claim } from '../requests/idempotency.ts';
import { originOf } from '../requests/origin-of.ts';
import { accountOf } from '../requests/owner-of.ts';
import { mayTouch } from '../requests/identity.ts';
import { readBody } from '../requests/read-body.ts';
import { sendFile } from '../answers/send-file.ts';
import type { SentFile } from '../answers/send-file.ts';
import { whileSending } from '../answers/while-sending.ts';

export interface V2AssetsDeps {
  assets: Pick<AssetRegistry, 'get' | 'findBlob' | 'remove'>;
  keeper: AssetKeeper;
  files: Pick<FileStore, 'stat' | 'open'>;
  findOutput: FindOutput;
  receive(upload: AssetUpload): Promise<KeptAsset>;
  /** Refuses a name that does not fit what the bytes are. */
  requireClaim(file: { fileName: string; declaredType: string }): void;
  /** Claims the request's `Idempotency-Key`, if it has one. */
  claimKey(request: Request): Promise<Claim | undefined>;
  isDraining(): boolean;
}

const example = '{"hash": "blake3:<64 hex digits>", "file_path": "photo.png"}';

/** `/api/v2/assets`: exactly the contract. What is uploaded is its account's; an output, without keys, may be read by whoever knows its id. */
export function createV2AssetRoutes(deps: V2AssetsDeps, { basePath }: { basePath: string }): Router {
  const { assets, keeper } = deps;
  const router = Router();

  const contextOf = (request: Request): AssetContext => ({ origin: originOf(request), basePath });

  function answerCreated(
    request: Request,
    response: Response,
    { asset, createdNew, status }: { asset: Asset; createdNew: boolean; status: number },
  ): void {
    const described: V2Asset = {
      ...describeAsset(asset, contextOf(request)),
      created_new: createdNew,
    };
    response.status(status).json(described);
  }

  router.post('/api/v2/assets', async (request, response) => {
    if (deps.isDraining())
      throw new BridgeError('draining', 'the bridge is shutting down: try again in a moment');
    const claim = await deps.claimKey(request);
    const { asset, createdNew } = await releasing(claim, () =>
      whileSending(request, (signal) =>
        deps.receive({ account: accountOf(request), headers: request.headers, stream: request, signal }),
      ),
    );
    answerCreated(request, response, { asset, createdNew, status: createdNew ? 201 : 200 });
  });

  router.post('/api/v2/assets/from-hash', async (request, response) => {
    const body = await readBody(request, v2AssetFromHashSchema, example);
    const hash = parseContentHash(body.hash);
    const { file_path: filePath = null, tags = [], expires_in: expiresIn } = body;
    const fileName = filePath?.split('/').at(-1);
    const referred =
      hash &&
      (await keeper.refer(
        { account: accountOf(request), hash, filePath, tags, expiresIn },
        ({ contentType }) => {
          if (fileName !== undefined) deps.requireClaim({ fileName, declaredType: contentType });
        },
      ));
    if (referred === undefined)
      throw new BridgeError('blob_not_found', 'there are no such bytes (any more): upload them');
    const { asset, isNew } = referred;
    answerCreated(request, response, { asset, createdNew: false, status: isNew ? 201 : 200 });
  });

  router.head('/api/v2/assets/by-hash/:hash', async (request, response) => {
    const hash = parseContentHash(request.params.hash);
    const blob = hash && assets.findBlob(hash, accountOf(request));
    if (blob === undefined || (await deps.files.stat(`uploads/${blob.savedName}`)) === undefined)
      throw new BridgeError('blob_not_found', 'there are no such bytes (any more): upload them');
    response.status(200).end();
  });

  /** An asset of the caller's own, or else an output. */
  async function find(request: Request): Promise<{ asset: Asset } | { output: FoundOutput }> {
    const id = String(request.params['id']).toLowerCase();
    const asset = assets.get(id, accountOf(request));
    if (asset !== undefined) return { asset };
    const output = await deps.findOutput(id);
    if (output === undefined || !mayTouch(request, output.job.account)) throw noAsset();
    return { output };
  }

  router.get('/api/v2/assets/:id', async (request, response) => {
    const found = await find(request);
    const context = contextOf(request);
    response.json(
      'asset' in found ? describeAsset(found.asset, context) : describeOutput(found.output, context),
    );
  });

  router.get('/api/v2/assets/:id/content', async (request, response) => {
    const found = await find(request);
    await sendFile(deps.files, toSentFile(found), request, response);
  });

  router.delete('/api/v2/assets/:id', async (request, response) => {
    const found = await find(request);
    if ('output' in found)
      throw new BridgeError('asset_in_use', 'this asset cannot be deleted while the bridge depends on it');
    if (!(await assets.remove(found.asset.id, found.asset.account))) throw noAsset();
    response.status(204).end();
  });

  return router;
}

function toSentFile(found: { asset: Asset } | { output: FoundOutput }): SentFile {
  if ('output' in found) {
    const { job, result } = found.output;
    const { contentType, fileName, hash } = result;
    return { key: `results/${job.id}/${result.index}`, contentType, fileName, hash };
  }
  const { savedName, contentType, filePath, hash } = found.asset;
  const fileName = filePath?.split('/').at(-1) ?? savedName;
  return { key: `uploads/${savedName}`, contentType, fileName, hash };
}

function noAsset(): BridgeError {
  return new BridgeError('not_found', 'there is no such asset (any more)');
}
