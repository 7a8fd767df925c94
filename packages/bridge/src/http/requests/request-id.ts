import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

import type { Request, RequestHandler } from 'express';

const ids = new WeakMap<IncomingMessage, string>();

/** Names each request, in its answer and in the log: as a proxy that is trusted calls it, or by an id of its own. */
export const nameRequest: RequestHandler = (request, response, next) => {
  const given = comesThroughProxy(request) ? request.get('x-request-id') : undefined;
  const id = given !== undefined && /^[\w.:=+/-]{1,128}$/.test(given) ? given : randomUUID();
  ids.set(request, id);
  response.setHeader('X-Request-Id', id);
  next();
};

/** Undefined for one that was not named. */
export function requestIdOf(request: IncomingMessage): string | undefined {
  return ids.get(request);
}

/** Whether whoever sent it is a proxy whose headers are believed (TRUST_PROXY), as Express sees it. */
function comesThroughProxy({ app, socket }: Request): boolean {
  const trusts: unknown = app.get('trust proxy fn');
  return typeof trusts === 'function' && trusts(socket.remoteAddress, 0) === true;
}
