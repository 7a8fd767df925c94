import { createHash } from 'node:crypto';

import type { Request } from 'express';

/**
 * Who shares the fleet fairly with whom: one address is one owner, as far as it can be seen (behind a proxy that is not
 * trusted, all are one). Kept as a digest: nobody has to know the address, only that it is the same.
 */
export function ownerOf(request: Request): string {
  return createHash('sha256')
    .update(`address ${request.ip ?? ''}`)
    .digest('base64url')
    .slice(0, 16);
}
