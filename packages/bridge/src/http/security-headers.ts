import type { Request, RequestHandler } from 'express';

import { BridgeError } from '../errors.ts';

const maxHeaders = 200;

/**
 * On every answer: nothing of it is taken for something else, framed, run, or kept. The page of the document has a policy of
 * its own. `isClosed`: keys are required, so that no page can embed what is here, and other windows have no business with it.
 */
export function createSecurityHeaders({ isClosed }: { isClosed: boolean }): RequestHandler {
  return (request, response, next) => {
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('Cache-Control', 'no-store');
    response.setHeader('Referrer-Policy', 'no-referrer');
    response.setHeader('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'; sandbox");
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    if (isClosed) response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
    // Only where a proxy that is trusted says so: over plain HTTP it means nothing.
    if (request.secure) response.setHeader('Strict-Transport-Security', 'max-age=31536000');
    next(findRefusal(request));
  };
}

function findRefusal({ rawHeaders, headersDistinct }: Request): BridgeError | undefined {
  if (rawHeaders.length > 2 * maxHeaders)
    return new BridgeError('bad_request', `a request may have ${maxHeaders} headers`);
  // A proxy may have gone by the other one.
  if ((headersDistinct['host']?.length ?? 0) > 1)
    return new BridgeError('bad_request', 'a request may have one Host header');
  return undefined;
}
