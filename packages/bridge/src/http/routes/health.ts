import type { Readiness } from '@comfy-bridge/protocol';
import { Router } from 'express';

import type { Fleet } from '../../backends/fleet.ts';

/** `GET /healthz`: the process answers. `GET /readyz`: it takes work and at least one ComfyUI can do it. */
export function createHealthRoutes({ fleet, isDraining }: { fleet: Fleet; isDraining(): boolean }): Router {
  const router = Router();

  router.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' });
  });

  router.get('/readyz', (_request, response) => {
    const ready = fleet.ready().length;
    const isReady = ready > 0 && !isDraining();
    if (!isReady) response.status(503).setHeader('Retry-After', '5');
    const readiness: Readiness = {
      status: isReady ? 'ready' : isDraining() ? 'draining' : 'no ComfyUI is reachable',
      backends: { ready, all: fleet.backends.length },
    };
    response.json(readiness);
  });

  return router;
}
