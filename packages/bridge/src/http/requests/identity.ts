import type { IncomingMessage } from 'node:http';

import type { Role } from '@comfy-bridge/protocol';
import type { Request } from 'express';

import type { Access } from '../../access/access.ts';
import type { Identity } from '../../access/identity.ts';
import { hasRole } from '../../access/role.ts';
import { BridgeError } from '../../errors.ts';

/** Who the caller of each request is; of none where keys are off. */
const identities = new WeakMap<IncomingMessage, Identity>();

export function setIdentity(request: IncomingMessage, identity: Identity): void {
  identities.set(request, identity);
}

/** Undefined where keys are off. */
export function identityOf(request: IncomingMessage): Identity | undefined {
  return identities.get(request);
}

/** True with keys, for who has this role; undefined where keys are off, and something else has to tell. */
export function mayAs(request: Request, role: Role): boolean | undefined {
  const identity = identityOf(request);
  return identity === undefined ? undefined : hasRole(identity.role, role);
}

/**
 * Whether the caller may have what belongs to this account: with keys its own alone, for operators everything. Without keys
 * whoever knows an id was told it.
 */
export function mayTouch(request: Request, account: string | null): boolean {
  const identity = identityOf(request);
  return identity === undefined || identity.role === 'operator' || identity.account === account;
}

/**
 * A `clientId` as the bridge keeps it: with keys, each has its own, so that one client cannot even learn that another uses
 * the same. Operators name them whole, as `key:<id>:<clientId>`.
 */
export function scopeClientId(identity: Identity | undefined, clientId: string): string {
  return identity === undefined || identity.role === 'operator'
    ? clientId
    : `${identity.account}:${clientId}`;
}

/** A `clientId` as its own caller knows it. */
export function unscopeClientId(identity: Identity | undefined, clientId: string): string {
  const prefix = scopeClientId(identity, '');
  return clientId.startsWith(prefix) ? clientId.slice(prefix.length) : clientId;
}

/** Throws when what the caller has shown at first is no longer good. */
export function requireGood({ isGood }: Pick<Access, 'isGood'>, request: Request): void {
  const identity = identityOf(request);
  if (identity !== undefined && !isGood(identity))
    throw new BridgeError('unauthorized', 'this key is no longer valid');
}
