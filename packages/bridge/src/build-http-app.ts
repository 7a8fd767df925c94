import type { Socket } from 'node:net';

import type { Express, Router } from 'express';

import type { Access } from './access/access.ts';
import { createTokenBuckets } from './access/token-bucket.ts';
import { buildAuditing, buildRouteGuard } from './build-access.ts';
import type { Observability } from './build-observability.ts';
import type { BridgeConfig } from './config/bridge-config.ts';
import { createHttpApp } from './http/app.ts';
import { createCors } from './http/cors.ts';
import type { Route } from './http/list-routes.ts';
import { createRequestLimit } from './http/requests/limit-requests.ts';
import type { MetricsGate } from './http/requests/metrics-gate.ts';
import { createAccessLog, createRequestObserver } from './http/requests/observe-requests.ts';
import type { Logger } from './logging.ts';
import type { WorkflowCatalog } from './workflows/catalog/workflow-catalog.ts';

export interface BuildHttpAppDeps {
  access: Access;
  routers: readonly Router[];
  routes: readonly Route[];
  workflows: WorkflowCatalog;
  observability: Observability;
  metricsGate: MetricsGate;
  /** The connection of a caller that has shown a key. */
  onKnown(socket: Socket): void;
  log: Logger;
  now: () => number;
}

/** A part of the composition root: what stands before the routes, and looks at what goes through them. */
export function buildHttpApp(config: BridgeConfig, deps: BuildHttpAppDeps): Express {
  const { access, routers, routes, workflows, metricsGate, log, now } = deps;
  const { metrics, underParent } = deps.observability;
  const observers = [
    ...(metrics === undefined ? [] : [metrics.http.request]),
    ...(config.observability.accessLog ? [createAccessLog(log)] : []),
  ];
  return createHttpApp({
    routers,
    cors: createCors(config.server.corsOrigins),
    trustProxy: config.server.trustProxy,
    basePath: config.server.basePath,
    log,
    guard: buildRouteGuard(access, { routes, workflows, metricsGate }),
    audit: buildAuditing(access, routes),
    onKnown: deps.onKnown,
    limitRequests: createRequestLimit({
      buckets: createTokenBuckets({ now, windowMs: 60_000 }),
      requestsPerMinute: config.limits.requestsPerMinute,
      onLimited: metrics?.http.rateLimited,
    }),
    ...(observers.length > 0 && { observe: createRequestObserver(routes, observers) }),
    onRefusal: metrics?.http.refusal,
    underParent,
  });
}
