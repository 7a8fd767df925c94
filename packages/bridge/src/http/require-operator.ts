import { createHash, timingSafeEqual } from 'node:crypto';

import type { Request, RequestHandler } from 'express';

import { BridgeError } from '../errors.ts';

/**
 * Guards operator endpoints. With a token configured: `Authorization: Bearer <token>`, compared in constant time. Without:
 * only this machine, and not through a proxy, whose requests all seem to come from here.
 */
export function requireOperator(token: string | undefined): RequestHandler {
  return (request, response, next) => {
    if (token === undefined) {
      if (isLocal(request)) return next();
      return next(
        new BridgeError(
          'forbidden',
          'operator endpoints answer this machine only: set OPERATOR_TOKEN to open them',
        ),
      );
    }
    const given = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (given !== undefined && equal(given, token)) return next();
    response.setHeader('WWW-Authenticate', 'Bearer');
    return next(
      new BridgeError('unauthorized', 'this needs the operator token: send Authorization: Bearer <token>'),
    );
  };
}

function isLocal(request: Request): boolean {
  const { headers, socket } = request;
  if (
    headers['x-forwarded-for'] !== undefined ||
    headers.forwarded !== undefined ||
    headers['x-real-ip'] !== undefined
  ) {
    return false;
  }
  const address = socket.remoteAddress ?? '';
  return address === '::1' || /^(::ffff:)?127\./.test(address);
}

function equal(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
