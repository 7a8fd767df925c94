import { performance } from 'node:perf_hooks';

import type { Request, RequestHandler } from 'express';

import type { Route } from '../list-routes.ts';
import type { Logger } from '../../logging.ts';
import { identityOf } from './identity.ts';
import { requestIdOf } from './request-id.ts';

/** A request whose answer is out, or whose caller has left. */
export interface ObservedRequest {
  request: Request;
  method: string;
  /** The pattern of its route; `other` where it has none. */
  route: string;
  status: number;
  ms: number;
  /** Of the answer, its head included; less where the caller has left. */
  bytes: number;
  /** False where the caller has left before the answer was whole. */
  isWhole: boolean;
}

/** Looks at each request once it is over. The paths of all routes are known, so that nothing of a URL gets into what is told. */
export function createRequestObserver(
  routes: readonly Route[],
  observers: readonly ((observed: ObservedRequest) => void)[],
): RequestHandler {
  const paths = new Set(routes.map(({ path }) => path));

  function routeOf(request: Request): string {
    const route: unknown = request.route;
    const path = typeof route === 'object' && route !== null && 'path' in route ? route.path : undefined;
    return typeof path === 'string' && paths.has(path) ? path : 'other';
  }

  return (request, response, next) => {
    const { socket } = request;
    const startedAt = performance.now();
    const sentBefore = socket.bytesWritten;
    response.once('close', () => {
      const observed = {
        request,
        method: request.method,
        route: routeOf(request),
        status: response.statusCode,
        ms: performance.now() - startedAt,
        bytes: Math.max(0, socket.bytesWritten - sentBefore),
        isWhole: response.writableFinished,
      };
      for (const observe of observers) observe(observed);
    });
    next();
  };
}

/** A line for each request: what was asked by its pattern, never the URL, whose query may hold a secret. */
export function createAccessLog(log: Logger): (observed: ObservedRequest) => void {
  return ({ request, method, route, status, ms, bytes, isWhole }) => {
    const requestId = requestIdOf(request);
    const identity = identityOf(request);
    const keyId = identity === undefined ? null : (identity.keyId ?? identity.actor);
    log.info(
      { requestId, method, route, status, ms: Math.round(ms * 10) / 10, bytes, keyId, isWhole },
      'request answered',
    );
  };
}
