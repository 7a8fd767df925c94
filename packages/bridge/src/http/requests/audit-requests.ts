import { Router } from 'express';
import type { Request, RequestHandler, Response } from 'express';

import type { Audit } from '../../access/audit.ts';
import { isRecord } from '../../lib/is-record.ts';
import type { RuledRoute } from '../access-rules.ts';
import { identityOf } from './identity.ts';

export interface AuditRequestsDeps {
  audit: Audit;
  routes: readonly RuledRoute[];
  /** What an operation is called in the document. */
  nameOf(method: string, path: string): string | undefined;
}

const refusedStatuses = new Set([401, 403, 429]);
const readOnly = new Set(['get', 'head', 'options']);

/**
 * Writes down what authors and operators change, whatever route it is by, and who is refused. Stands before the guard: of
 * strangers it sees only that they are refused.
 */
export function createAuditRequests({ audit, routes, nameOf }: AuditRequestsDeps): {
  refusals: RequestHandler;
  changes: RequestHandler;
} {
  const refusals: RequestHandler = (request, response, next) => {
    response.once('finish', () => {
      const { statusCode: status } = response;
      if (!refusedStatuses.has(status)) return;
      audit.refuse({ ...who(request), target: `${request.method} ${pathOf(request)}`, status });
    });
    next();
  };

  const watched = Router();
  for (const { method, path, rule } of routes) {
    if (readOnly.has(method) || rule === 'public') continue;
    const action = nameOf(method, path) ?? `${method} ${path}`;
    watched.all(path, (request, response, next) => {
      if (request.method.toLowerCase() === method) watch(request, response, { action, rule });
      next();
    });
  }

  function watch(
    request: Request,
    response: Response,
    { action, rule }: { action: string; rule: 'client' | 'author' | 'operator' },
  ): void {
    const { params } = request;
    const made = watchBody(response);
    response.once('finish', () => {
      if (response.statusCode >= 400) return;
      const role = identityOf(request)?.role;
      // What clients do with their own is theirs; an operator may do it with another's.
      const isIntervention = role === 'operator' && 'id' in params;
      if (rule !== 'client' || isIntervention) {
        const target = Object.values(params).join(' ') || made.name();
        audit.record({ ...who(request), action, target, status: response.statusCode });
      }
    });
  }

  const changes: RequestHandler = (request, response, next) => {
    if (readOnly.has(request.method.toLowerCase())) next();
    else watched(request, response, next);
  };
  return { refusals, changes };
}

function who(request: Request) {
  const address = request.ip ?? null;
  return { actor: identityOf(request)?.actor ?? `address ${address ?? 'unknown'}`, address };
}

/** Without its query, in which a ticket may stand. */
function pathOf({ originalUrl }: Request): string {
  return (originalUrl.split('?')[0] ?? '').slice(0, 200);
}

/** How what was made is called, as its answer says. */
function watchBody(response: Response): { name(): string | null } {
  let body: unknown;
  const send = response.json.bind(response);
  response.json = (value: unknown) => {
    body = value;
    return send(value);
  };
  return {
    name() {
      if (!isRecord(body)) return null;
      const name = body['id'] ?? body['name'];
      return typeof name === 'string' ? name : null;
    },
  };
}
