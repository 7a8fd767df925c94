import { createHash, timingSafeEqual } from 'node:crypto';

import type { Role } from '@comfy-bridge/protocol';
import type { Request, RequestHandler } from 'express';

import { BridgeError } from '../../errors.ts';
import { identityOf, mayAs } from './identity.ts';

/** Guards endpoints that only operators may call. */
export function requireOperator(token: string | undefined): RequestHandler {
  return requireRole('operator', token);
}

/**
 * Guards endpoints above what clients may. With keys: for keys of that role. Without keys only operators may, and with a token
 * configured those are `Authorization: Bearer <token>`, compared in constant time; without one, this machine, and not through
 * a proxy, whose requests all seem to come from here.
 */
export function requireRole(role: Role, token: string | undefined): RequestHandler {
  return (request, response, next) => {
    if (mayAs(request, role) ?? isOperator(request, token)) return next();
    if (identityOf(request) !== undefined) return next(forbidden(role));
    if (token === undefined) {
      return next(
        new BridgeError(
          'forbidden',
          'operator endpoints answer this machine only, called by its local name: set OPERATOR_TOKEN to open them',
        ),
      );
    }
    response.setHeader('WWW-Authenticate', 'Bearer');
    return next(
      new BridgeError('unauthorized', 'this needs the operator token: send Authorization: Bearer <token>'),
    );
  };
}

export function forbidden(role: Role): BridgeError {
  return new BridgeError(
    'forbidden',
    `this needs a key with the role ${role}: ask the operator of this bridge`,
  );
}

/** Whether the caller has an operator's key, or has shown the operator token; without keys and token, whether it is this machine. */
export function isOperator(request: Request, token: string | undefined): boolean {
  const byKey = mayAs(request, 'operator');
  if (byKey !== undefined) return byKey;
  if (token === undefined) return isLocal(request);
  const given = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  return given !== undefined && equal(given, token);
}

/** Whether a request comes from this machine, by its own name and not through a proxy. */
export function isLocal(request: Request): boolean {
  const { headers, socket } = request;
  if (
    headers['x-forwarded-for'] !== undefined ||
    headers.forwarded !== undefined ||
    headers['x-real-ip'] !== undefined
  ) {
    return false;
  }
  if (!isOwnPage(headers.host, headers.origin)) return false;
  const address = socket.remoteAddress ?? '';
  return address === '::1' || /^(::ffff:)?127\./.test(address);
}

/**
 * A browser on this machine runs pages of others: neither such a page may act as its operator, nor one whose own name was
 * made to lead here. So the bridge must have been called by a name of this machine, and by no other origin.
 */
function isOwnPage(host: string | undefined, origin: string | undefined): boolean {
  const hostname = URL.parse(`http://${host ?? ''}`)?.hostname ?? '';
  if (!/^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname)) return false;
  return origin === undefined || URL.parse(origin)?.host === host;
}

function equal(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
