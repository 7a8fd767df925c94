import { createHash } from 'node:crypto';

import type { Request } from 'express';

import { identityOf } from './identity.ts';

/**
 * Who shares the fleet fairly with whom: with keys, one key is one owner. Without, one address is, as far as it can be seen
 * (behind a proxy that is not trusted, all are one); kept as a digest: nobody has to know the address, only that it is the
 * same.
 */
export function ownerOf(request: Request): string {
  return identityOf(request)?.account ?? addressOwner(request);
}

/**
 * Whom jobs and assets belong to: with keys, the key. Without, whoever sends the same secret (`Authorization: Bearer …` or
 * `X-API-Key`) is one account, whatever the secret is; without one, an address is. Anybody can think of many secrets, so this
 * is no share of the fleet.
 */
export function accountOf(request: Request): string {
  const account = identityOf(request)?.account;
  if (account !== undefined) return account;
  const secret = readSecret(request.headers);
  return secret === undefined ? addressOwner(request) : digest(`secret ${secret}`);
}

/** True when the caller named itself by a secret: what is its own can then be listed for it, and for nobody else. */
export function hasAccount(request: Request): boolean {
  return identityOf(request) !== undefined || readSecret(request.headers) !== undefined;
}

function addressOwner(request: Request): string {
  return digest(`address ${request.ip ?? ''}`);
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}

/** What a caller sends to show who it is. */
export function readSecret(headers: Request['headers']): string | undefined {
  const key = headers['x-api-key'];
  if (typeof key === 'string' && key !== '') return key;
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
}
