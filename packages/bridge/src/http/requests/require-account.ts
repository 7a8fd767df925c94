import type { Request } from 'express';

import { BridgeError } from '../../errors.ts';
import { hasAccount } from './owner-of.ts';

/** Throws for a caller who has not named itself: without a secret it is an address, which it may share with others. */
export function requireAccount(request: Request): void {
  if (hasAccount(request)) return;
  throw new BridgeError(
    'unauthorized',
    'to see your own jobs, send a secret of your own (Authorization: Bearer …, or X-API-Key) here and with every submit',
  );
}
