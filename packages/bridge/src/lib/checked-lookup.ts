import type { LookupAddress, LookupOptions } from 'node:dns';
import { isIP } from 'node:net';

import type { AddressRules } from './check-address.ts';
import type { ResolveHost } from './resolve-host.ts';

/** An address that may not be called. `kind` is what it is: `loopback`, `linkLocal`, … */
export class RefusedAddressError extends Error {
  override readonly name = 'RefusedAddressError';
  readonly kind: string;

  constructor(kind: string) {
    super('the endpoint has an address that may not be called');
    this.kind = kind;
  }
}

/** As `net.connect` and `tls.connect` take it. */
export type CheckedLookup = (
  host: string,
  options: LookupOptions,
  done: (error: Error | null, address: string | LookupAddress[], family?: number) => void,
) => void;

/**
 * Looks names up for a connection. The check is of the very addresses that are then connected to, so that a name which
 * changes its address in between gains nothing; a name of which one address is refused is refused as a whole. Nothing is
 * looked up for an address: see `findLiteralRefusal`.
 */
export function createCheckedLookup(
  rules: AddressRules,
  resolveHost: ResolveHost,
  signal?: AbortSignal,
): CheckedLookup {
  async function resolveChecked(host: string): Promise<LookupAddress[]> {
    const addresses = await resolveHost(host, signal);
    for (const { address } of addresses) {
      const kind = rules.findRefusal(host, address);
      if (kind !== undefined) throw new RefusedAddressError(kind);
    }
    return [...addresses];
  }

  return (host, { all }, done) => {
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
}

/** For a host that is an address, which no connection looks up. IPv6 without brackets. */
export function findLiteralRefusal(rules: AddressRules, host: string): RefusedAddressError | undefined {
  const kind = isIP(host) === 0 ? undefined : rules.findRefusal(host, host);
  return kind === undefined ? undefined : new RefusedAddressError(kind);
}
