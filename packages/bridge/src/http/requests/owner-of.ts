import { createHash } from 'node:crypto';

import type { Request } from 'express';

/**
 * Who shares the fleet fairly with whom: one address is one owner, as far as it can be seen (behind a proxy that is not
 * trusted, all are one). Kept as a digest: nobody has to know the address, only that it is the same.
 */
export function ownerOf(request: Request): string {
  return digest(`address ${request.ip ?? ''}`);
}

/**
 * Whom jobs and assets belong to: whoever sends the same secret (`Authorization: Bearer …` or `X-API-Key`) is one account,
 * whatever the secret is; without one, an address is. Anybody can think of many secrets, so this is no share of the fleet.
 */
export function accountOf(request: Request): string {
  const secret = readSecret(request);
  return secret === undefined ? ownerOf(request) : digest(`secret ${secret}`);
}

/** True when the caller named itself by a secret: what is its own can then be listed for it, and for nobody else. */
export function hasAccount(request: Request): boolean {
  return readSecret(request) !== undefined;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}

function readSecret({ headers }: Request): string | undefined {
  const key = headers['x-api-key'];
  if (typeof key === 'string' && key !== '') return key;
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
}
