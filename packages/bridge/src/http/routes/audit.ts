import { Router } from 'express';
import type { Request, RequestHandler } from 'express';

import type { Audit } from '../../access/audit.ts';
import { BridgeError } from '../../errors.ts';

const defaultLimit = 100;
const maxLimit = 1_000;

/** `GET /api/bridge/audit`, for operators: who did what when. */
export function createAuditRoutes({
  audit,
  requireOperator,
}: {
  audit: Pick<Audit, 'page'>;
  requireOperator: RequestHandler;
}): Router {
  const router = Router();
  router.get('/api/bridge/audit', requireOperator, async (request, response) => {
    response.json(await audit.page({ limit: readLimit(request), after: readAfter(request) }));
  });
  return router;
}

function readLimit({ query: { limit } }: Request): number {
  const value = limit === undefined ? defaultLimit : Number(limit);
  if (Number.isInteger(value) && value >= 1 && value <= maxLimit) return value;
  throw new BridgeError('bad_request', `limit is a whole number from 1 to ${maxLimit}`);
}

function readAfter({ query: { after } }: Request): string | undefined {
  if (after === undefined) return undefined;
  if (typeof after === 'string' && /^\d{15}-[0-9a-f]{8}$/.test(after)) return after;
  throw new BridgeError('bad_request', 'after is the `next` of a page before');
}
