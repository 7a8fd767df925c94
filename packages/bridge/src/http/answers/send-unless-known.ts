import type { Request, Response } from 'express';

import { isMatch } from '../requests/byte-range.ts';

export interface Kept {
  /** Strong, quoted. */
  etag: string;
  contentType: string;
  body: string | Buffer;
}

/** Answers 304 to a caller that has this version; it may keep what it gets, and asks each time whether it still holds. */
export function sendUnlessKnown(
  request: Request,
  response: Response,
  { etag, contentType, body }: Kept,
): void {
  response.setHeader('ETag', etag);
  response.setHeader('Cache-Control', 'no-cache');
  if (isMatch(request.get('If-None-Match'), etag)) {
    response.status(304).end();
    return;
  }
  response.type(contentType).send(body);
}
