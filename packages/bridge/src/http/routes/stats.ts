import { Router } from 'express';
import type { RequestHandler } from 'express';

import type { Stats } from '../../observability/stats/create-stats.ts';

/** `GET /api/bridge/stats`, for operators: how the bridge is doing, in one look. */
export function createStatsRoutes({
  stats,
  requireOperator,
}: {
  stats: Pick<Stats, 'read'>;
  requireOperator: RequestHandler;
}): Router {
  const router = Router();
  router.get('/api/bridge/stats', requireOperator, (_request, response) => {
    response.json(stats.read());
  });
  return router;
}
