import { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

import type { ErrorCode } from '@comfy-bridge/protocol';
import express from 'express';
import type { Express, RequestHandler, Router } from 'express';

import type { Logger } from '../logging.ts';
import { createSecurityHeaders } from './security-headers.ts';
import { identityOf } from './requests/identity.ts';
import type { RouteGuard } from './requests/guard-routes.ts';
import { guardBody } from './requests/guard-body.ts';
import { nameRequest } from './requests/request-id.ts';
import { createErrorHandler, handleUnknownRoute } from './answers/error-handler.ts';

export interface HttpAppParts {
  routers: readonly Router[];
  cors: RequestHandler;
  trustProxy: boolean | number | readonly string[];
  /** Sub-path behind a proxy, such as `/bridge`; empty for none. */
  basePath: string;
  log: Logger;
  /** Where keys are required. */
  guard?: RouteGuard | undefined;
  limitRequests?: RequestHandler;
  audit?: { refusals: RequestHandler; changes: RequestHandler };
  /** Looks at each request once it is over. */
  observe?: RequestHandler;
  onRefusal?: ((code: ErrorCode) => void) | undefined;
  /** Answers a request under the trace that its header names. */
  underParent?: ((traceparent: string | undefined, run: () => void) => void) | undefined;
  /** The connection of a caller that has shown a key. */
  onKnown?: (socket: Socket) => void;
}

/** Middleware order: the request's name and who looks at it, security headers, CORS, who the caller is, how much and what it may, the routes, unknown routes, errors last. */
export function createHttpApp({
  routers,
  cors,
  trustProxy,
  basePath,
  log,
  guard,
  limitRequests,
  audit,
  observe,
  onRefusal,
  underParent,
  onKnown,
}: HttpAppParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', typeof trustProxy === 'object' ? [...trustProxy] : trustProxy);
  app.set('query parser', 'simple');
  app.use(nameRequest);
  if (observe !== undefined) app.use(observe);
  app.use(createSecurityHeaders({ isClosed: guard !== undefined }));
  app.use((request, _response, next) => {
    guardBody(request);
    next();
  });
  app.use(cors);
  if (audit !== undefined) app.use(audit.refusals);
  if (guard !== undefined) app.use(guard.identify);
  if (onKnown !== undefined) {
    app.use((request, _response, next) => {
      if (identityOf(request) !== undefined) onKnown(request.socket);
      next();
    });
  }
  if (limitRequests !== undefined) app.use(limitRequests);
  if (guard !== undefined) {
    app.use(basePath === '' ? '/' : basePath, guard.rules);
    app.use(...guard.refuseStrangers);
  }
  if (audit !== undefined) app.use(basePath === '' ? '/' : basePath, audit.changes);
  if (underParent !== undefined)
    app.use((request, _response, next) => underParent(request.get('traceparent'), () => next()));
  for (const router of routers) {
    if (basePath === '') app.use(router);
    else app.use(basePath, router);
  }
  app.use(handleUnknownRoute);
  app.use(createErrorHandler(log, { basePath, onRefusal }));
  return app;
}

/** Where a request that Express has not seen (a WebSocket's) comes from, told as for all others. */
export function addressOf(app: Express, message: IncomingMessage): string {
  // What Express itself does with every request.
  const request: unknown = Object.setPrototypeOf(message, app.request);
  return request instanceof IncomingMessage && 'ip' in request && typeof request.ip === 'string'
    ? request.ip
    : '';
}

/** Whether a connection from that address comes from a proxy that is trusted to say who is calling. */
export function isTrustedProxy(app: Express, address: string): boolean {
  const trusts: unknown = app.get('trust proxy fn');
  return typeof trusts === 'function' && Reflect.apply(trusts, undefined, [address, 0]) === true;
}
