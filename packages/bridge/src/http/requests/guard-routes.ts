import { Router } from 'express';
import type { ErrorRequestHandler, Request, RequestHandler } from 'express';

import type { Access } from '../../access/access.ts';
import { hasRole } from '../../access/role.ts';
import { BridgeError } from '../../errors.ts';
import type { RuledRoute } from '../access-rules.ts';
import { identityOf, setIdentity } from './identity.ts';
import { metricsPath } from './metrics-gate.ts';
import type { MetricsGate } from './metrics-gate.ts';
import { readSecret } from './owner-of.ts';
import { forbidden } from './require-operator.ts';

export interface GuardDeps {
  access: Pick<Access, 'authenticate'>;
  routes: readonly RuledRoute[];
  /** Who may read metrics without being anybody. */
  metricsGate: MetricsGate;
  /** Whether the caller may see the workflow that a path names; throws what answers for one that is not there. */
  checkAlias(request: Request, alias: string, rule: RuledRoute): void;
}

/** In this order, before any route. */
export interface RouteGuard {
  /** For every request. */
  identify: RequestHandler;
  /** Where the routes lie. */
  rules: Router;
  /** For every request. */
  refuseStrangers: readonly [RequestHandler, ErrorRequestHandler];
}

/**
 * Stands before all routes where keys are required, with the same paths: so Express itself, and nothing that could read a URL
 * in another way, tells which rule holds. What no rule is for is refused to strangers like anything else.
 */
export function createRouteGuard({ access, routes, metricsGate, checkAlias }: GuardDeps): RouteGuard {
  /** Why nobody is known yet: thrown where somebody is needed. */
  const refusals = new WeakMap<Request, unknown>();

  function authenticate(request: Request, ticket?: string): void {
    try {
      setIdentity(
        request,
        access.authenticate({
          secret: readSecret(request.headers),
          ticket,
          address: request.ip ?? '',
        }),
      );
    } catch (error) {
      refusals.set(request, error);
    }
  }

  function refuse(request: Request): unknown {
    const refusal = refusals.get(request) ?? new BridgeError('unauthorized', 'this needs a key');
    if (refusal instanceof BridgeError && refusal.code === 'unauthorized')
      request.res?.setHeader('WWW-Authenticate', 'Bearer');
    return refusal;
  }

  const identify: RequestHandler = (request, _response, next) => {
    // A token that is for metrics alone is nobody's key, and no wrong one either.
    const isScrape = request.path.endsWith(metricsPath) && metricsGate.hasToken(request);
    if (!isScrape) authenticate(request);
    // Express answers these by itself, with what there is.
    next(request.method === 'OPTIONS' && identityOf(request) === undefined ? refuse(request) : undefined);
  };

  function check(request: Request, route: RuledRoute): unknown {
    if (route.rule === 'public' || (route.path === metricsPath && metricsGate.opens(request))) {
      markPublic(request);
      return undefined;
    }
    if (identityOf(request) === undefined && route.takesTicket) authenticate(request, readTicket(request));
    const identity = identityOf(request);
    if (identity === undefined) return refuse(request);
    if (!hasRole(identity.role, route.rule)) return forbidden(route.rule);
    const { alias } = request.params;
    if (typeof alias === 'string') checkAlias(request, alias, route);
    return undefined;
  }

  const guard = Router();
  for (const [path, own] of Map.groupBy(routes, (route) => route.path)) {
    // For every method: a router that has only some of a path answers OPTIONS itself, in the place of whom it guards.
    guard.route(path).all((request: Request, _response, next) => {
      const route = findByMethod(own, request.method.toLowerCase());
      next(route === undefined ? undefined : check(request, route));
    });
  }

  const refuseStrangers: RequestHandler = (request, _response, next) => {
    next(identityOf(request) === undefined && !isPublic(request) ? refuse(request) : undefined);
  };
  /** A stranger does not even learn that a URL cannot be read. */
  const hideErrors: ErrorRequestHandler = (error: unknown, request, _response, next) => {
    next(error instanceof BridgeError || identityOf(request) !== undefined ? error : refuse(request));
  };
  return { identify, rules: guard, refuseStrangers: [refuseStrangers, hideErrors] };
}

const publicRequests = new WeakSet<Request>();

function markPublic(request: Request): void {
  publicRequests.add(request);
}

function isPublic(request: Request): boolean {
  return publicRequests.has(request);
}

function readTicket({ query }: Request): string | undefined {
  const { ticket } = query;
  return typeof ticket === 'string' && ticket !== '' ? ticket : undefined;
}

/** As Express finds it: HEAD is GET where it is nothing of its own. */
function findByMethod(routes: readonly RuledRoute[], method: string): RuledRoute | undefined {
  const find = (wanted: string) => routes.find((route) => route.method === wanted);
  const own = find(method) ?? (method === 'head' ? find('get') : undefined);
  return own ?? routes.find((route) => !methods.has(route.method));
}

/** Whatever else a route is of, it is of every method. */
const methods = new Set(['get', 'head', 'post', 'put', 'patch', 'delete', 'options']);
