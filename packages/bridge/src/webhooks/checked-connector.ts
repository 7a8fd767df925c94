import { buildConnector } from 'undici';

import type { AddressExceptions } from '../lib/check-address.ts';
import { createCheckedLookup, findLiteralRefusal } from '../lib/checked-lookup.ts';
import { createHostResolver } from '../lib/resolve-host.ts';
import type { ResolveHost } from '../lib/resolve-host.ts';

export interface ConnectorOptions {
  /** Ends a connection, also one that does not stand yet. */
  signal: AbortSignal;
  /** Default: `createHostResolver`. */
  resolveHost?: ResolveHost | undefined;
}

/** Opens connections to public addresses only, and to what operators allow: else `RefusedAddressError`. */
export function createCheckedConnector(
  exceptions: AddressExceptions,
  { signal, resolveHost = createHostResolver(exceptions) }: ConnectorOptions,
): buildConnector.connector {
  const connect = buildConnector({
    lookup: createCheckedLookup(exceptions, resolveHost, signal),
    signal,
    timeout: 0,
    allowH2: false,
    maxCachedSessions: 0,
    // Whatever NODE_TLS_REJECT_UNAUTHORIZED says.
    rejectUnauthorized: true,
  });
  return (options, callback) => {
    const refusal = findLiteralRefusal(exceptions, options.hostname);
    return refusal === undefined ? connect(options, callback) : callback(refusal, null);
  };
}
