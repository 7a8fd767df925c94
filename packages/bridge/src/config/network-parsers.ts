import { isIP, isIPv4 } from 'node:net';
import { resolve } from 'node:path';

import { accept, refuse } from './option.ts';
import type { Parser } from './option.ts';
import { isText, toNumber } from './value-parsers.ts';

/** An address or host name to listen on; IPv6 with or without brackets. */
export const hostName: Parser<string> = {
  allowed: 'an IP address or a host name, without a port (0.0.0.0 for every IPv4 address of this machine)',
  parse(raw) {
    if (typeof raw !== 'string') return refuse();
    const host = raw.trim().replace(/^\[(.*)\]$/, '$1');
    if (isIP(host) !== 0) return accept(host);
    const isName = /^(?!-)[\w-]{1,63}(\.[\w-]{1,63})*\.?$/.test(host) && !/^[\d.]+$/.test(host);
    return isName && host.length <= 253 ? accept(host) : refuse();
  },
};

/** '' or `/path` without a trailing slash. */
export const basePath: Parser<string> = {
  allowed: 'a path such as /comfy',
  parse(raw) {
    if (typeof raw !== 'string') return refuse();
    const path = raw.trim().replace(/\/+$/, '');
    return path === '' || /^(\/[\w.~-]*[\w~-])+$/.test(path) ? accept(path) : refuse();
  },
};

/** `*`, or the exact origins that a browser may call from. */
export type CorsOrigins = '*' | readonly string[];

export const corsOrigins: Parser<CorsOrigins> = {
  allowed: 'none, *, or a list of origins such as https://studio.example:8443',
  parse(raw) {
    const items = toItems(raw);
    if (items === undefined) return refuse();
    if (items.length === 1 && items[0] === 'none') return accept([]);
    if (items.includes('*')) return accept('*');
    const origins = items.map((item) => ({ item, origin: toOrigin(item) }));
    const wrong = origins.filter(({ origin }) => origin === undefined);
    if (wrong.length > 0) return refuse(...wrong.map(({ item }) => ({ shown: JSON.stringify(item) })));
    return accept([...new Set(origins.flatMap(({ origin }) => origin ?? []))]);
  },
};

function toOrigin(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
  // Everything that is not part of an origin would never match what a browser sends.
  return url.href === `${url.origin}/` && !text.endsWith('//') ? url.origin : undefined;
}

/** In the form of Express' "trust proxy": false, the number of proxies in front, or their addresses. */
export type TrustProxy = false | number | readonly string[];

const namedNetworks = ['loopback', 'linklocal', 'uniquelocal'];

export const trustProxy: Parser<TrustProxy> = {
  allowed:
    'none, the number of proxies in front (1 to 10), or a list of addresses, networks such as 10.0.0.0/8, or loopback',
  parse(raw) {
    const hops = toNumber(raw);
    if (hops !== undefined)
      return Number.isInteger(hops) && hops >= 1 && hops <= 10 ? accept(hops) : refuse();
    const items = toItems(raw);
    if (items === undefined) return refuse();
    if (items.length === 0 || (items.length === 1 && items[0] === 'none')) return accept(false);
    const wrong = items.filter((item) => !namedNetworks.includes(item) && !isNetwork(item));
    return wrong.length > 0
      ? refuse(...wrong.map((item) => ({ shown: JSON.stringify(item) })))
      : accept(items);
  },
};

/** Addresses and networks in CIDR form; undefined: any. */
export const networkList: Parser<readonly string[] | undefined> = {
  allowed: 'any, or a list of addresses and networks such as 10.0.0.0/8 or fd00::/8',
  parse(raw) {
    const items = toItems(raw);
    if (items === undefined || items.length === 0) return refuse();
    if (items.length === 1 && items[0] === 'any') return accept(undefined);
    const wrong = items.filter((item) => !isNetwork(item));
    return wrong.length > 0
      ? refuse(...wrong.map((item) => ({ shown: JSON.stringify(item) })))
      : accept(items);
  },
};

/** An address, or a network in CIDR form. */
export function isNetwork(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  if (isIP(address) === 0 || rest.length > 0) return false;
  if (prefix === undefined) return true;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= (isIPv4(address) ? 32 : 128);
}

/** Where a server listens, on this machine or another. */
export type SocketAddress = { host: string; port: number } | { path: string };

export const socketAddress: Parser<SocketAddress> = {
  allowed: 'host:port, such as 127.0.0.1:3310, or unix: and the path of a socket',
  parse(raw, baseDir) {
    if (typeof raw !== 'string') return refuse();
    const text = raw.trim();
    const [, path] = /^unix:([^\0]+)$/.exec(text) ?? [];
    if (path !== undefined) return accept({ path: resolve(baseDir, path) });
    const [, named = '', digits = ''] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
    const host = hostName.parse(named, baseDir);
    const port = Number(digits);
    return host.ok && port >= 1 && port <= 65_535 ? accept({ host: host.value, port }) : refuse();
  },
};

/** A list written as text with commas or spaces, or as a JSON list of texts. Undefined when it is neither. */
export function toItems(raw: unknown): string[] | undefined {
  if (typeof raw === 'string') return raw.split(/[\s,]+/).filter((item) => item !== '');
  return Array.isArray(raw) && raw.every(isText) ? raw.map((item) => item.trim()) : undefined;
}
