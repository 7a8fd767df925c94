import express from 'express';
import type { Express, RequestHandler, Router } from 'express';

import type { Logger } from '../logging.ts';
import { guardBody } from './requests/guard-body.ts';
import { createErrorHandler, handleUnknownRoute } from './answers/error-handler.ts';

export interface HttpAppParts {
  routers: readonly Router[];
  cors: RequestHandler;
  trustProxy: boolean | number | readonly string[];
  /** Sub-path behind a proxy, such as `/bridge`; empty for none. */
  basePath: string;
  log: Logger;
}

const bodyMethods = new Set(['POST', 'PUT', 'PATCH']);

/** Middleware order: security headers, CORS, the routes, unknown routes, errors last. */
export function createHttpApp({ routers, cors, trustProxy, basePath, log }: HttpAppParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', typeof trustProxy === 'object' ? [...trustProxy] : trustProxy);
  app.set('query parser', 'simple');
  app.use((_request, response, next) => {
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('Cache-Control', 'no-store');
    next();
  });
  app.use((request, _response, next) => {
    if (bodyMethods.has(request.method)) guardBody(request);
    next();
  });
  app.use(cors);
  for (const router of routers) {
    if (basePath === '') app.use(router);
    else app.use(basePath, router);
  }
  app.use(handleUnknownRoute);
  app.use(createErrorHandler(log, { basePath }));
  return app;
}
