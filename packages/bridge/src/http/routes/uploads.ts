import { Router } from 'express';

import { BridgeError } from '../../errors.ts';
import { receiveUpload } from '../../files/receive-upload.ts';
import type { UploadRequest } from '../../files/receive-upload.ts';
import { optionalClientId } from '../client-id.ts';

/** `POST /upload`: multipart in, identifier to saved name out. */
export function createUploadRoutes({
  isDraining,
  ...deps
}: Pick<UploadRequest, 'store' | 'policy' | 'limits'> & { isDraining(): boolean }): Router {
  const router = Router();

  router.post('/upload', async (request, response) => {
    optionalClientId(request);
    if (isDraining()) throw new BridgeError('draining', 'the bridge is shutting down: try again in a moment');
    const gone = new AbortController();
    const onClose = () => {
      if (!request.complete) gone.abort();
    };
    request.once('close', onClose);
    try {
      const { files } = await receiveUpload({
        ...deps,
        headers: request.headers,
        stream: request,
        signal: gone.signal,
      });
      response.json(Object.fromEntries(files.map(({ identifier, savedName }) => [identifier, savedName])));
    } finally {
      request.off('close', onClose);
    }
  });

  return router;
}
