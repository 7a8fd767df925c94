import { clientIdSchema } from '@comfy-bridge/protocol';
import type { Request } from 'express';

import { BridgeError } from '../../errors.ts';
import { identityOf, scopeClientId } from './identity.ts';

const expectation = 'clientId is 1 to 128 characters of A-Z a-z 0-9 . _ : - (a UUID is recommended)';

export interface ClientId {
  /** As the caller has it. */
  told: string;
  /** As the bridge keeps it: with keys, each key has its own. */
  kept: string;
}

/** The `clientId` of the query; refuses when it is missing or odd. */
export function requireClientId(request: Request): ClientId {
  const clientId = optionalClientId(request);
  if (clientId === undefined)
    throw new BridgeError('bad_request', `clientId is missing in the query: ${expectation}`);
  return clientId;
}

/** Undefined when there is none; refuses an odd one. */
export function optionalClientId(request: Request): ClientId | undefined {
  const { clientId } = request.query;
  if (clientId === undefined || clientId === '') return undefined;
  const parsed = clientIdSchema.safeParse(clientId);
  if (!parsed.success) throw new BridgeError('bad_request', `clientId is not valid: ${expectation}`);
  const told = parsed.data;
  return { told, kept: scopeClientId(identityOf(request), told) };
}
