import type { Request, RequestHandler, Response } from 'express';

import type { Quota, TokenBuckets } from '../../access/token-bucket.ts';
import { BridgeError } from '../../errors.ts';
import { toAddressGroup } from '../../lib/address-group.ts';
import { identityOf } from './identity.ts';

/**
 * Counts requests a minute: of a key, or of an address where nobody has shown one. What is left is told with every answer to a
 * key, and to everybody who is refused, as draft-ietf-httpapi-ratelimit-headers-11 has it.
 */
export function createRequestLimit({
  buckets,
  requestsPerMinute,
  onLimited = () => {},
}: {
  buckets: TokenBuckets;
  /** Of callers without a limit of their own. */
  requestsPerMinute: number;
  onLimited?: (() => void) | undefined;
}): RequestHandler {
  return (request, response, next) => {
    const identity = identityOf(request);
    const limit = identity?.limits.requestsPerMinute ?? requestsPerMinute;
    if (limit === Infinity) return next();
    const quota = buckets.take(limitedName(request), limit);
    if (identity !== undefined || !quota.ok) tell(response, quota);
    if (quota.ok) return next();
    onLimited();
    return next(
      new BridgeError('limited', `more than ${limit} requests a minute: try again later`, {
        retryAfter: Math.max(1, quota.resetSeconds),
      }),
    );
  };
}

/** Whose use of the bridge is counted together. */
export function limitedName(request: Request): string {
  return identityOf(request)?.account ?? `address ${toAddressGroup(request.ip ?? '')}`;
}

function tell(response: Response, { limit, remaining, resetSeconds }: Quota): void {
  response.setHeader('RateLimit-Policy', `"requests";q=${limit};w=60`);
  response.setHeader('RateLimit', `"requests";r=${remaining};t=${resetSeconds}`);
}
