import type { Ticket } from '@comfy-bridge/protocol';
import { Router } from 'express';

import type { Tickets } from '../../access/tickets.ts';
import { BridgeError } from '../../errors.ts';
import { identityOf } from '../requests/identity.ts';

/** `POST /api/bridge/tickets`: for what browsers open by a URL alone, where a key must never stand. */
export function createTicketRoutes({ tickets }: { tickets: Tickets }): Router {
  const router = Router();
  router.post('/api/bridge/tickets', (request, response) => {
    const issued = tickets.issue(identityOf(request));
    if (issued === undefined)
      throw new BridgeError(
        'limited',
        'too many tickets of yours are open: use those, or try again in a minute',
        {
          retryAfter: 60,
        },
      );
    const { ticket, expiresAt } = issued;
    const answer: Ticket = { ticket, expires_at: new Date(expiresAt).toISOString() };
    response.status(201).json(answer);
  });
  return router;
}
