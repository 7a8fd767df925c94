import { Router } from 'express';
import type { Request, RequestHandler } from 'express';

import { BridgeError } from '../../errors.ts';
import { requireAccount } from '../requests/require-account.ts';
import type { PageStreams } from '../streams/page-streams.ts';

export interface PageEventsDeps {
  streams: PageStreams;
  requireOperator: RequestHandler;
}

/** `GET /api/bridge/events`: everything that a page shows, of one's own jobs; with `all=1`, for operators, of everybody's and of the fleet. */
export function createPageEventRoutes({ streams, requireOperator }: PageEventsDeps): Router {
  const router = Router();

  const guard: RequestHandler = (request, response, next) => {
    if (readFlag(request, 'all')) return requireOperator(request, response, next);
    requireAccount(request);
    return next();
  };

  router.get('/api/bridge/events', guard, (request, response) => {
    const [seesAll, previews] = [readFlag(request, 'all'), readFlag(request, 'previews')];
    streams.open(request, response, { seesAll, previews });
  });
  return router;
}

function readFlag({ query }: Request, name: string): boolean {
  const value = query[name] ?? '0';
  if (value === '1') return true;
  if (value === '0' || value === '') return false;
  throw new BridgeError('bad_request', `${name} is 0 or 1`);
}
