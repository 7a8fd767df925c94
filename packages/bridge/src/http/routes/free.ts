import { Router } from 'express';
import type { RequestHandler } from 'express';

import type { Backend, Fleet } from '../../backends/fleet.ts';
import { unloadModels } from '../../backends/unload-models.ts';
import { BridgeError } from '../../errors.ts';
import type { JobLedger } from '../../jobs/job-ledger.ts';
import { optionalClientId } from '../requests/client-id.ts';

export interface FreeRoutesDeps {
  fleet: Fleet;
  ledger: JobLedger;
  /** The original left `/free` open: closed only when an operator token is set. */
  guardFree: RequestHandler;
}

/** `POST /free`: the memory of every ComfyUI, or of the one that serves a client now. */
export function createFreeRoutes({ fleet, ledger, guardFree }: FreeRoutesDeps): Router {
  const router = Router();

  router.post('/free', guardFree, async (request, response) => {
    const clientId = optionalClientId(request);
    const targets = clientId === undefined ? fleet.ready() : [await servingBackend(clientId.kept)];
    await Promise.allSettled(targets.map(unloadModels));
    response.json({ detail: `server memory free now / ${clientId?.told ?? 'ALL'}` });
  });

  async function servingBackend(clientId: string): Promise<Backend> {
    const job = await ledger.latestOf(clientId);
    if (job === undefined) throw new BridgeError('unknown_client', `there is no job of clientId ${clientId}`);
    const { state } = job;
    const backend = 'backend' in state ? fleet.find(state.backend) : undefined;
    if (backend === undefined) {
      throw new BridgeError('bad_request', `no ComfyUI serves clientId ${clientId} at the moment`);
    }
    return backend;
  }

  return router;
}
