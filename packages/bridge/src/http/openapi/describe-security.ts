import { ruleOfOperation, takesTicket } from '../access-rules.ts';
import type { Operation } from './operation.ts';

/** One way in: the names of all that it takes. Empty: nothing. */
type Way = Readonly<Record<string, readonly string[]>>;

const sameHeader = { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'The same, as a header.' };

const openSchemes = {
  bearerAuth: {
    type: 'http',
    scheme: 'bearer',
    description:
      'A key. Where keys are off it is not needed, and any secret of your own: whoever sends the same one shares jobs and assets.',
  },
  apiKeyAuth: sameHeader,
  operatorToken: {
    type: 'http',
    scheme: 'bearer',
    description:
      "The operator's token, or a key with the role that is needed. Without both, operators are whoever calls from the bridge's own machine.",
  },
};

const keyedSchemes = {
  bearerAuth: { type: 'http', scheme: 'bearer', description: 'A key.' },
  apiKeyAuth: sameHeader,
  operatorToken: {
    type: 'http',
    scheme: 'bearer',
    description: "A key with the role that is needed, or the operator's token.",
  },
  ticketAuth: {
    type: 'apiKey',
    in: 'query',
    name: 'ticket',
    description:
      'For browsers, which cannot send a key here: from `POST /api/bridge/tickets`, once, within a minute.',
  },
};

/** Every kind of credentials that the document names. */
export function describeSchemes(keysRequired: boolean) {
  return keysRequired ? keyedSchemes : openSchemes;
}

const byKey: readonly Way[] = [{ bearerAuth: [] }, { apiKeyAuth: [] }];

/** What holds for every operation that says nothing else. */
export function describeDefaultSecurity(keysRequired: boolean): readonly Way[] {
  return keysRequired ? byKey : [...byKey, {}];
}

/** What an operation asks for where that is something else; undefined where it is not. */
export function describeSecurity(
  { method, path, access }: Pick<Operation, 'method' | 'path' | 'access'>,
  keysRequired: boolean,
): readonly Way[] | undefined {
  if (!keysRequired) return access === 'operator' ? [{ operatorToken: [] }, {}] : undefined;
  if (ruleOfOperation(method, path) === 'public') return [];
  if (access === 'operator') return [{ operatorToken: [] }, { apiKeyAuth: [] }];
  // The WebSocket is no route of the table: the gateway lets its callers in.
  return takesTicket(method, path) || path === '/ws' ? [...byKey, { ticketAuth: [] }] : undefined;
}
