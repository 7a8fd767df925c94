import { Router } from 'express';
import type { RequestHandler } from 'express';

import { BridgeError } from '../../errors.ts';
import type { Metrics } from '../../observability/metrics/create-metrics.ts';
import { metricsPath } from '../requests/metrics-gate.ts';

export interface MetricsRoutesDeps {
  /** Undefined where they are off. */
  metrics: Pick<Metrics, 'render' | 'contentType'> | undefined;
  guard: RequestHandler;
}

/** `GET /metrics`, for Prometheus. */
export function createMetricsRoutes({ metrics, guard }: MetricsRoutesDeps): Router {
  const router = Router();
  router.get(metricsPath, guard, async (_request, response) => {
    if (metrics === undefined)
      throw new BridgeError('not_found', 'metrics are off here: METRICS=on turns them on');
    const text = await metrics.render();
    response.setHeader('Content-Type', metrics.contentType);
    response.send(text);
  });
  return router;
}
