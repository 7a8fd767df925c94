import type { Request } from 'express';

/** How this caller reaches the bridge, through proxies that are trusted: `https://example.org`, without a path. */
export function originOf({ protocol, host }: Request): string {
  // HTTP/1.0 knows no Host.
  return `${protocol}://${host ?? 'localhost'}`;
}
