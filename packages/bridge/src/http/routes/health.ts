import type { Readiness } from '@comfy-bridge/protocol';
import { Router } from 'express';
import type { Request } from 'express';

import type { Fleet } from '../../backends/fleet.ts';

export interface HealthDeps {
  fleet: Fleet;
  isDraining(): boolean;
  /** Whether keys are required, and the caller has shown none. */
  isStranger(request: Request): boolean;
}

/** `GET /healthz`: the process answers. `GET /readyz`: it takes work and at least one ComfyUI can do it. */
export function createHealthRoutes({ fleet, isDraining, isStranger }: HealthDeps): Router {
  const router = Router();

  router.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' });
  });

  router.get('/readyz', (request, response) => {
    const ready = fleet.ready().length;
    const isReady = ready > 0 && !isDraining();
    if (!isReady) response.status(503).setHeader('Retry-After', '5');
    const readiness: Readiness = {
      status: isReady ? 'ready' : isDraining() ? 'draining' : 'no ComfyUI is reachable',
      // To a stranger the fleet is one: a load balancer needs no more.
      backends: isStranger(request)
        ? { ready: Math.min(ready, 1), all: 1 }
        : { ready, all: fleet.backends.length },
    };
    response.json(readiness);
  });

  return router;
}
