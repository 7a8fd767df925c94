import type { LookupAddress, LookupOptions } from 'node:dns';
import { isIP } from 'node:net';

import { buildConnector } from 'undici';

import type { AddressExceptions } from './check-address.ts';
import { createHostResolver } from './resolve-host.ts';
import type { ResolveHost } from './resolve-host.ts';

/** The address of an endpoint is one that may not be called. `kind` is what it is: `loopback`, `private`, … */
export class RefusedAddressError extends Error {
  override readonly name = 'RefusedAddressError';
  readonly kind: string;

  constructor(kind: string) {
    super('the endpoint has an address that may not be called');
    this.kind = kind;
  }
}

type Lookup = (
  host: string,
  options: LookupOptions,
  done: (error: Error | null, address: string | LookupAddress[], family?: number) => void,
) => void;

export interface ConnectorOptions {
  /** Ends a connection, also one that does not stand yet. */
  signal: AbortSignal;
  /** Default: `createHostResolver`. */
  resolveHost?: ResolveHost | undefined;
}

/**
 * Opens connections to public addresses only, and to what operators allow. The check is of the very addresses that are
 * then connected to, so that a name which changes its address in between gains nothing; a name with public and other
 * addresses is refused as a whole.
 */
export function createCheckedConnector(
  exceptions: AddressExceptions,
  { signal, resolveHost = createHostResolver(exceptions) }: ConnectorOptions,
): buildConnector.connector {
  async function resolveChecked(host: string): Promise<LookupAddress[]> {
    const addresses = await resolveHost(host, signal);
    for (const { address } of addresses) {
      const kind = exceptions.findRefusal(host, address);
      if (kind !== undefined) throw new RefusedAddressError(kind);
    }
    return [...addresses];
  }

  const lookup: Lookup = (host, { all }, done) => {
    resolveChecked(host).then(
      (addresses) => {
        const [first] = addresses;
        if (first === undefined) return done(new Error('the name has no address'), []);
        // Node asks for all of them where it may try one after the other.
        return all === true ? done(null, addresses) : done(null, first.address, first.family);
      },
      (error: unknown) => done(error instanceof Error ? error : new Error(String(error)), []),
    );
  };
  const connect = buildConnector({
    lookup,
    signal,
    timeout: 0,
    allowH2: false,
    maxCachedSessions: 0,
    // Whatever NODE_TLS_REJECT_UNAUTHORIZED says.
    rejectUnauthorized: true,
  });
  return (options, callback) => {
    // Nothing is looked up for an address.
    const kind =
      isIP(options.hostname) === 0 ? undefined : exceptions.findRefusal(options.hostname, options.hostname);
    if (kind !== undefined) return callback(new RefusedAddressError(kind), null);
    return connect(options, callback);
  };
}
