import type { LookupAddress } from 'node:dns';
import { lookup, Resolver } from 'node:dns/promises';

import type { AddressExceptions } from './check-address.ts';

/** Every address of a name. Rejects when there is none, and may do so when aborted. */
export type ResolveHost = (host: string, signal?: AbortSignal) => Promise<readonly LookupAddress[]>;

export interface ResolveHostOptions {
  /** `address:port` of the name servers; default: as the system is set up. */
  servers?: readonly string[];
}

/**
 * Asks name servers for the names of strangers, and the system (its hosts file too) for names that an operator allows. The
 * system's own way takes a thread of the few that also read and write our files, for as long as a name server keeps silent.
 */
export function createHostResolver(
  exceptions: AddressExceptions,
  { servers }: ResolveHostOptions = {},
): ResolveHost {
  return async (host, signal) => {
    if (exceptions.allowsName(host)) return resolveBySystem(host);
    const resolver = new Resolver({ timeout: 2_000, tries: 2 });
    if (servers !== undefined) resolver.setServers(servers);
    const cancel = () => resolver.cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    const [v4, v6] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    signal?.removeEventListener('abort', cancel);
    const addresses = [
      ...(v4.status === 'fulfilled' ? v4.value.map((address) => ({ address, family: 4 })) : []),
      ...(v6.status === 'fulfilled' ? v6.value.map((address) => ({ address, family: 6 })) : []),
    ];
    if (addresses.length === 0 && v4.status === 'rejected') throw v4.reason;
    return addresses;
  };
}

/** As the system does it, its hosts file included. */
export function resolveBySystem(host: string): Promise<LookupAddress[]> {
  return lookup(host, { all: true, order: 'verbatim' });
}
