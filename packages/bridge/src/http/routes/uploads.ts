import { Router } from 'express';

import { BridgeError } from '../../errors.ts';
import { receiveUpload } from '../../files/receive-upload.ts';
import type { UploadRequest } from '../../files/receive-upload.ts';
import { optionalClientId } from '../requests/client-id.ts';
import { identityOf } from '../requests/identity.ts';
import { accountOf, hasAccount } from '../requests/owner-of.ts';
import { whileSending } from '../answers/while-sending.ts';

/** `POST /upload`: multipart in, identifier to saved name out. */
export function createUploadRoutes({
  isDraining,
  checkRoom,
  limits,
  ...deps
}: Pick<UploadRequest, 'store' | 'policy' | 'limits'> & {
  isDraining(): boolean;
  /** Throws when the account has as much stored as it may. */
  checkRoom(account: string): void;
}): Router {
  const router = Router();

  router.post('/upload', async (request, response) => {
    optionalClientId(request);
    if (isDraining()) throw new BridgeError('draining', 'the bridge is shutting down: try again in a moment');
    const identity = identityOf(request);
    if (identity !== undefined) checkRoom(identity.account);
    const { files } = await whileSending(request, (signal) =>
      receiveUpload({
        ...deps,
        headers: request.headers,
        stream: request,
        signal,
        // Who sends no secret, as the original's clients, may be at another address with its next call.
        owner: hasAccount(request) ? accountOf(request) : undefined,
        limits: {
          ...limits,
          maxBytesPerFile: Math.min(limits.maxBytesPerFile, identity?.limits.uploadBytes ?? Infinity),
        },
      }),
    );
    response.json(Object.fromEntries(files.map(({ identifier, savedName }) => [identifier, savedName])));
  });

  return router;
}
