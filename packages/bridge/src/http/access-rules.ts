import type { Rule } from '../access/role.ts';
import type { Route } from './list-routes.ts';

/**
 * What each route asks of its caller where keys are required: the one table. A route without a rule does not start, and no
 * route is open because somebody forgot it.
 */
const rules: Readonly<Record<string, Rule>> = {
  'get /healthz': 'public',
  'get /readyz': 'public',
  // And for whom METRICS and METRICS_TOKEN open it.
  'get /metrics': 'operator',
  'get /openapi.json': 'client',
  'get /': 'public',
  'get /console/:file': 'public',
  'get /docs': 'client',
  'get /docs/:file': 'client',

  'get /workflow-list': 'client',
  'get /workflow-info': 'client',
  'post /upload': 'client',
  'post /generate-based-workflow': 'client',
  'post /interrupt': 'client',
  'get /execution-info': 'client',
  'get /generation-count': 'client',
  'get /history': 'client',
  'post /free': 'operator',

  'post /api/v2/jobs': 'client',
  'get /api/v2/jobs/:id': 'client',
  'post /api/v2/jobs/:id/cancel': 'client',
  'get /api/v2/jobs/:id/events': 'client',
  'get /api/v2/jobs/:id/workflow': 'client',
  'post /api/v2/assets': 'client',
  'post /api/v2/assets/from-hash': 'client',
  'head /api/v2/assets/by-hash/:hash': 'client',
  'get /api/v2/assets/:id': 'client',
  'get /api/v2/assets/:id/content': 'client',
  'delete /api/v2/assets/:id': 'client',

  'get /api/bridge/me': 'client',
  'get /api/bridge/events': 'client',

  'get /api/bridge/jobs': 'client',
  'post /api/bridge/jobs': 'client',
  'get /api/bridge/jobs/:id': 'client',
  'delete /api/bridge/jobs/:id': 'client',
  'get /api/bridge/jobs/:id/events': 'client',
  'get /api/bridge/jobs/:id/inputs': 'client',
  'post /api/bridge/jobs/:id/retry': 'client',
  'post /api/bridge/jobs/:id/links': 'client',
  'get /api/bridge/jobs/:id/archive': 'client',
  'get /api/bridge/jobs/:id/results/:index': 'client',
  'post /api/bridge/jobs/:id/priority': 'operator',
  'get /api/bridge/links/:token': 'public',
  'get /api/bridge/links/:token/results/:index': 'public',
  'get /api/bridge/links/:token/archive': 'public',
  'get /api/bridge/groups/:id': 'client',
  'post /api/bridge/groups/:id/cancel': 'client',
  'options /api/bridge/uploads': 'client',
  'post /api/bridge/uploads': 'client',
  'options /api/bridge/uploads/:id': 'client',
  'head /api/bridge/uploads/:id': 'client',
  'get /api/bridge/uploads/:id': 'client',
  'patch /api/bridge/uploads/:id': 'client',
  'delete /api/bridge/uploads/:id': 'client',
  'post /api/bridge/convert': 'client',
  'post /api/bridge/tickets': 'client',

  'get /api/bridge/workflows': 'client',
  'get /api/bridge/workflows/:alias': 'client',
  'get /api/bridge/workflows/:alias/thumbnail': 'client',
  'get /api/bridge/workflows/:alias/placement': 'client',
  'post /api/bridge/workflows/:alias/jobs': 'client',
  'put /api/bridge/workflows/:alias': 'author',
  'delete /api/bridge/workflows/:alias': 'author',
  'get /api/bridge/workflows/:alias/file': 'author',
  'get /api/bridge/workflows/:alias/versions': 'author',
  'post /api/bridge/workflows/:alias/versions/:version/restore': 'author',
  'get /api/bridge/workflows/:alias/requirements': 'operator',
  'put /api/bridge/workflows/:alias/requirements': 'operator',

  'get /api/bridge/backends': 'operator',
  'post /api/bridge/backends': 'operator',
  'get /api/bridge/backends/:name': 'operator',
  'get /api/bridge/backends/:name/activity': 'operator',
  'patch /api/bridge/backends/:name': 'operator',
  'delete /api/bridge/backends/:name': 'operator',
  'post /api/bridge/backends/:name/drain': 'operator',
  'post /api/bridge/backends/:name/pause': 'operator',
  'post /api/bridge/backends/:name/resume': 'operator',
  'post /api/bridge/backends/:name/free': 'operator',
  'get /api/bridge/keys': 'operator',
  'post /api/bridge/keys': 'operator',
  'get /api/bridge/keys/:id': 'operator',
  'patch /api/bridge/keys/:id': 'operator',
  'delete /api/bridge/keys/:id': 'operator',
  'post /api/bridge/keys/:id/rotate': 'operator',
  'get /api/bridge/audit': 'operator',
  'get /api/bridge/stats': 'operator',
  'get /api/bridge/settings': 'operator',
};

/** Where a ticket is taken in the place of a key: what browsers open by a URL alone. */
const ticketRoutes = new Set([
  'get /api/v2/jobs/:id/events',
  'get /api/bridge/jobs/:id/events',
  'get /api/bridge/events',
]);

export interface RuledRoute extends Route {
  rule: Rule;
  takesTicket: boolean;
}

/** The rule of each route. Throws when one has none, and when a rule has no route. */
export function withRules(routes: readonly Route[]): RuledRoute[] {
  const names = routes.map(toName);
  const missing = names.filter((name) => !Object.hasOwn(rules, name));
  const stale = Object.keys(rules).filter((name) => !names.includes(name));
  if (missing.length > 0 || stale.length > 0) {
    throw new Error(
      `http/access-rules.ts: routes without a rule: ${missing.join(', ') || 'none'}; rules without a route: ${stale.join(', ') || 'none'}`,
    );
  }
  return routes.map((route) => ({ ...route, ...ruleOf(toName(route)) }));
}

function ruleOf(name: string): Pick<RuledRoute, 'rule' | 'takesTicket'> {
  const rule = rules[name];
  if (rule === undefined) throw new Error(`http/access-rules.ts: no rule for ${name}`);
  return { rule, takesTicket: ticketRoutes.has(name) };
}

/** The rule of an operation of the OpenAPI document, whose paths have their parameters in braces. */
export function ruleOfOperation(method: string, path: string): Rule | undefined {
  return rules[toRouteName(method, path)];
}

/** Whether an operation of the document takes a ticket in the place of a key. */
export function takesTicket(method: string, path: string): boolean {
  return ticketRoutes.has(toRouteName(method, path));
}

function toRouteName(method: string, path: string): string {
  return `${method} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`;
}

function toName({ method, path }: Route): string {
  return `${method} ${path}`;
}
