import type { IncomingMessage } from 'node:http';

import { accountOfKey } from './access/api-key.ts';
import { createAccess } from './access/access.ts';
import type { Access } from './access/access.ts';
import { createOpenCounts } from './access/open-counts.ts';
import type { KeyRecords } from './access/key-book.ts';
import { isLoopback } from './config/bridge-config.ts';
import type { BridgeConfig } from './config/bridge-config.ts';
import { BridgeError } from './errors.ts';
import { toMark } from './files/saved-name.ts';
import { withRules } from './http/access-rules.ts';
import { operations } from './http/openapi/operations.ts';
import { createAuditRequests } from './http/requests/audit-requests.ts';
import { createRouteGuard } from './http/requests/guard-routes.ts';
import type { RouteGuard } from './http/requests/guard-routes.ts';
import { scopeClientId } from './http/requests/identity.ts';
import type { MetricsGate } from './http/requests/metrics-gate.ts';
import { readSecret } from './http/requests/owner-of.ts';
import { requireVisible } from './http/requests/visible-workflows.ts';
import type { Route } from './http/list-routes.ts';
import { toAddressGroup } from './lib/address-group.ts';
import type { Logger } from './logging.ts';
import type { WorkflowCatalog } from './workflows/catalog/workflow-catalog.ts';
import type { Admitted, Refused } from './ws/upgrade.ts';

/**
 * A part of the composition root: who may come in. Rejects, saying what to do, where the bridge would stand on a public address
 * with keys required and none to come in with.
 */
export async function buildAccess(
  { server, operator, limits }: Pick<BridgeConfig, 'server' | 'operator' | 'limits'>,
  { records, now, log }: { records: KeyRecords; now: () => number; log: Logger },
): Promise<Access> {
  const required = operator.keysRequired;
  const access = await createAccess(
    { records, now, log },
    { required, operatorToken: operator.token?.reveal(), maxAttempts: limits.keyAttempts },
  );
  const isPublic = !isLoopback(server.host);
  if (!required && server.trustProxy !== false)
    log.warn(
      'keys are off, behind a proxy: whoever it lets in may use the bridge; KEYS=required asks for keys',
    );
  if (!required && isPublic)
    log.warn({ host: server.host }, 'keys are off: whoever reaches this port may use the bridge');
  if (!required || operator.token !== undefined || access.keys.hasUsable()) return access;
  if (!isPublic) {
    log.warn('keys are required and there is none yet: make one with "keys create"');
    return access;
  }
  await access[Symbol.asyncDispose]();
  throw new Error(
    [
      `HOST=${server.host} is more than this machine, so callers need keys, and there is none yet. One of these:`,
      '  - create a key:  npm run bridge -- keys create --role operator --name me',
      '  - set OPERATOR_TOKEN to a secret of 16 characters or more, and create keys over HTTP',
      '  - run it open to everybody who reaches the port, as the original was:  --insecure, or INSECURE=on',
    ].join('\n'),
  );
}

/** What stands before the routes; undefined where keys are off. Throws when a route has no rule, wherever they are. */
export function buildRouteGuard(
  access: Access,
  {
    routes,
    workflows,
    metricsGate,
  }: { routes: readonly Route[]; workflows: WorkflowCatalog; metricsGate: MetricsGate },
): RouteGuard | undefined {
  const ruled = withRules(routes);
  if (!access.required) return undefined;
  return createRouteGuard({
    access,
    routes: ruled,
    metricsGate,
    checkAlias(request, alias, { rule }) {
      requireVisible(request, workflows, alias, 'not_found', { mayBeNew: rule === 'author' });
    },
  });
}

/** What authors and operators change, and who is refused, is written down, with keys and without. */
export function buildAuditing({ audit }: Access, routes: readonly Route[]) {
  const names = new Map(
    operations.map(({ method, path, operationId }) => [`${method} ${path}`, operationId]),
  );
  return createAuditRequests({
    audit,
    routes: withRules(routes),
    nameOf: (method, path) => names.get(`${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`),
  });
}

/** How a WebSocket comes in. `addressOf`: where a request comes from, through proxies that are trusted. */
export function createAdmission(
  access: Access,
  {
    maxSockets,
    addressOf,
    onEntered,
  }: {
    maxSockets: number;
    addressOf(request: IncomingMessage): string;
    /** Its socket is counted here from now on. */
    onEntered(request: IncomingMessage): void;
  },
) {
  const open = createOpenCounts();

  function enter(request: IncomingMessage, name: string): ReturnType<Admitted['enter']> {
    const leave = open.take(name, maxSockets);
    if (leave !== undefined) {
      onEntered(request);
      return { ok: true, leave };
    }
    return {
      ok: false,
      status: 429,
      detail: `${maxSockets} WebSockets of yours are open: close some`,
      headers: { 'Retry-After': '5' },
    };
  }

  return (request: IncomingMessage, query: URLSearchParams): Admitted | Refused => {
    const address = addressOf(request);
    if (!access.required) {
      const name = `address ${toAddressGroup(address)}`;
      return {
        ok: true,
        scope: (clientId) => clientId,
        isGood: () => true,
        enter: () => enter(request, name),
      };
    }
    try {
      const ticket = query.get('ticket') ?? undefined;
      const identity = access.authenticate({ secret: readSecret(request.headers), ticket, address });
      return {
        ok: true,
        scope: (clientId) => scopeClientId(identity, clientId),
        isGood: () => access.isGood(identity),
        enter: () => enter(request, identity.account),
      };
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      const { status } = error;
      access.audit.refuse({ actor: `address ${address}`, address, target: 'WebSocket', status });
      return { ok: false, status: error.status, detail: error.message, headers: toHeaders(error) };
    }
  };
}

function toHeaders({ status, retryAfter }: BridgeError): Record<string, string> {
  return status === 401 ? { 'WWW-Authenticate': 'Bearer' } : { 'Retry-After': String(retryAfter) };
}

/** How many bytes of uploads each owner may have stored, by the mark of its files. */
export function createStoredLimit(
  access: Access,
  { storedBytes }: Pick<BridgeConfig['limits'], 'storedBytes'>,
): (mark: string) => number {
  let limits: ReadonlyMap<string, number> | undefined;
  access.keys.onChange(() => {
    limits = undefined;
  });
  return (mark) => {
    // A caller without a key can think of as many secrets as it likes.
    if (!access.required) return Infinity;
    limits ??= new Map(
      access.keys.list().flatMap(({ key }) => {
        const own = key.limits.storedBytes;
        return own === null ? [] : [[toMark(accountOfKey(key.id)), own] as const];
      }),
    );
    return limits.get(mark) ?? storedBytes;
  };
}
