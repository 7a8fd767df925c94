import type { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';

import { Server } from '@tus/server';
import { Router } from 'express';
import type { Request, Response } from 'express';

import { BridgeError } from '../../errors.ts';
import type { Asset } from '../../files/assets/asset.ts';
import type { AssetRegistry } from '../../files/assets/asset-registry.ts';
import type { UploadFinisher } from '../../files/assets/finish-upload.ts';
import type { PartialStore } from '../../files/assets/partial-store.ts';
import { createUploadLocks } from '../../files/assets/upload-locks.ts';
import { describeAsset } from '../answers/describe-asset.ts';
import { originOf } from '../requests/origin-of.ts';
import { accountOf } from '../requests/owner-of.ts';
import { answerTus, requireTusVersion, toTusRefusal, toTusRequest } from '../requests/tus-messages.ts';

/** What belongs to one request, on its way through the protocol's own code. */
export interface UploadCall {
  readonly account: string;
  /** Why it is refused. */
  refusal?: unknown;
  /** Of the upload that it began. */
  created?: string;
}

export interface ResumableUploadsDeps {
  partials: PartialStore;
  finisher: UploadFinisher;
  assets: Pick<AssetRegistry, 'get' | 'remove'>;
  /** Set around each request. */
  calls: AsyncLocalStorage<UploadCall>;
  isDraining(): boolean;
  /** Throws when the account may not begin an upload of so many bytes. */
  checkNew(account: string, size: number): void;
}

export interface ResumableUploadsOptions {
  basePath: string;
  maxBytes: number;
}

const path = '/api/bridge/uploads';
/** How long a request that another one asked to leave may take to write down what it has. */
const drainMs = 3_000;
const lockPatienceMs = 20_000;

/** Resumable uploads by the tus protocol, version 1.0.0. The id of a complete upload is the id of the asset that it became. */
export function createResumableUploadRoutes(
  deps: ResumableUploadsDeps,
  { basePath, maxBytes }: ResumableUploadsOptions,
): Router {
  const { partials, finisher, assets, calls } = deps;
  const router = Router();
  const server = createTusServer(deps, { basePath, maxBytes });

  function requireOpen(): void {
    if (deps.isDraining())
      throw new BridgeError('draining', 'the bridge is shutting down: try again in a moment');
  }

  async function forward(request: Request, response: Response): Promise<void> {
    const call: UploadCall = { account: accountOf(request) };
    const { web, close } = toTusRequest(request);
    const answer = await calls.run(call, () => server.handleWeb(web));
    const id = call.created ?? request.params['id'];
    const upload = typeof id === 'string' ? partials.find(id, call.account) : undefined;
    if (upload !== undefined)
      response.setHeader('Upload-Expires', new Date(partials.expiresAt(upload)).toUTCString());
    // A request before this one may have brought the last byte, and still be at it.
    if (call.refusal === undefined && upload !== undefined && partials.isComplete(upload))
      await finisher.finish(upload);
    close();
    if (call.refusal !== undefined) throw toTusRefusal(call.refusal, { maxBytes });
    await answerTus(answer, response);
  }

  /** The asset that an upload has become; undefined while it is unfinished. */
  async function settle(request: Request): Promise<Asset | undefined> {
    const id = String(request.params['id']);
    const account = accountOf(request);
    const upload = partials.find(id, account);
    if (upload !== undefined && !partials.isComplete(upload)) return undefined;
    if (upload !== undefined) await finisher.finish(upload);
    const asset = assets.get(id, account);
    if (asset === undefined) throw new BridgeError('not_found', 'there is no such upload (any more)');
    return asset;
  }

  router.options([path, `${path}/:id`], forward);

  router.post(path, async (request, response) => {
    if (!requireTusVersion(request, response)) return;
    requireOpen();
    await forward(request, response);
  });

  router.head(`${path}/:id`, async (request, response) => {
    if (!requireTusVersion(request, response)) return;
    const asset = await settle(request);
    if (asset === undefined) return await forward(request, response);
    response.setHeader('Upload-Offset', String(asset.size));
    response.setHeader('Upload-Length', String(asset.size));
    response.status(200).end();
  });

  router.get(`${path}/:id`, async (request, response) => {
    const asset = await settle(request);
    if (asset === undefined) throw new BridgeError('not_found', 'this upload is not complete yet');
    response.json(describeAsset(asset, { origin: originOf(request), basePath }));
  });

  router.patch(`${path}/:id`, async (request, response) => {
    if (!requireTusVersion(request, response)) return;
    requireOpen();
    const asset = await settle(request);
    if (asset === undefined) return await forward(request, response);
    throw new BridgeError('conflict', 'this upload is complete');
  });

  router.delete(`${path}/:id`, async (request, response) => {
    if (!requireTusVersion(request, response)) return;
    const asset = await settle(request);
    if (asset === undefined) return await forward(request, response);
    await assets.remove(asset.id, asset.account);
    response.status(204).end();
  });

  return router;
}

function createTusServer(
  { partials, finisher, calls, checkNew }: ResumableUploadsDeps,
  { basePath, maxBytes }: ResumableUploadsOptions,
): Server {
  return new Server({
    path,
    datastore: partials,
    maxSize: maxBytes,
    locker: createUploadLocks({ patienceMs: lockPatienceMs }),
    lockDrainTimeout: drainMs,
    generateUrl: (_request, { id }) => `${basePath}${path}/${id}`,
    namingFunction: () => randomUUID(),
    async onUploadCreate(_request, { id, size, metadata }) {
      finisher.checkMetadata(metadata);
      checkNew(calls.getStore()?.account ?? '', size ?? 0);
      if (size === 0) throw new BridgeError('file_refused', 'the file is empty');
      const call = calls.getStore();
      if (call !== undefined) call.created = id;
      return {};
    },
    async onUploadFinish(_request, { id }) {
      const upload = partials.find(id, calls.getStore()?.account ?? '');
      if (upload !== undefined) await finisher.finish(upload);
      return {};
    },
    onResponseError(_request, error) {
      const call = calls.getStore();
      if (call !== undefined) call.refusal = error;
      return undefined;
    },
  });
}
