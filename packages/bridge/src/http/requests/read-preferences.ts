import type { Request } from 'express';

import { BridgeError } from '../../errors.ts';

const maxWaitSeconds = 300;

/**
 * Seconds that a caller wants to wait for its answer: `wait=N` of the `Prefer` header (RFC 7240), at most 300. Undefined
 * without a wish; a preference that makes no sense is ignored, as the RFC has it.
 */
export function readWait({ headers }: Pick<Request, 'headers'>): number | undefined {
  const header = headers['prefer'];
  const text = Array.isArray(header) ? header.join(',') : (header ?? '');
  const seconds = /(?:^|[,;\s])wait\s*=\s*"?(?<seconds>\d{1,9})"?\s*(?:$|[,;])/i.exec(text)?.groups?.[
    'seconds'
  ];
  const wanted = Number(seconds ?? 0);
  return wanted > 0 ? Math.min(wanted, maxWaitSeconds) : undefined;
}

/** Whether the job is given up when the caller goes while it waits: `?leave=cancel`. */
export function readLeave({ query }: Pick<Request, 'query'>): 'keep' | 'cancel' {
  const { leave = 'keep' } = query;
  if (leave === 'keep' || leave === 'cancel') return leave;
  throw new BridgeError('bad_request', 'leave is keep (the default) or cancel');
}

const bytesRange = /^(?:(?:image|video|audio)\/[^\s;,]+|application\/octet-stream)$/i;
/** Of an `Accept` header that are looked at. */
const maxRanges = 20;

/** Whether a caller would rather have a picture, film or sound itself than JSON about it. */
export function prefersBytes(request: Request): boolean {
  const ranges = (request.headers.accept ?? '').split(',', maxRanges);
  return ranges
    .map((range) => (range.split(';', 1)[0] ?? '').trim())
    .some((range) => bytesRange.test(range) && isPreferred(request, range.replace('/*', '/any')));
}

/** Whether a result of that type is what such a caller asked for. */
export function takesBytes(request: Request, contentType: string): boolean {
  if (isPreferred(request, 'application/octet-stream')) return true;
  return /^(?:image|video|audio)\//.test(contentType) && isPreferred(request, contentType);
}

function isPreferred(request: Request, type: string): boolean {
  return request.accepts(['application/json', type]) === type;
}
