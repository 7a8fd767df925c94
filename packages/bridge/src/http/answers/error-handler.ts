import type { ErrorCode } from '@comfy-bridge/protocol';
import type { ErrorRequestHandler, RequestHandler, Response } from 'express';

import { BridgeError, errorTable } from '../../errors.ts';
import { JobStoreError } from '../../jobs/job-store.ts';
import type { Logger } from '../../logging.ts';
import { requestIdOf } from '../requests/request-id.ts';
import { discardRest } from './discard-rest.ts';

/** How a refusal is written: the compatibility API's, our own below `/api/bridge`, or the official contract's. */
type Dialect = 'compat' | 'bridge' | 'v2';

/**
 * The only place where an error becomes an answer: `{"detail": …}` with the status of the error table, and below `/api/` the
 * envelope of Comfy API v2, `{"error": {"code", "message"}}`; below `/api/v2` with the official statuses and codes.
 */
export function createErrorHandler(
  log: Logger,
  {
    basePath,
    onRefusal = () => {},
  }: { basePath: string; onRefusal?: ((code: ErrorCode) => void) | undefined },
): ErrorRequestHandler {
  function dialectOf(path: string): Dialect {
    if (path.startsWith(`${basePath}/api/v2/`)) return 'v2';
    return path.startsWith(`${basePath}/api/`) ? 'bridge' : 'compat';
  }
  return (error: unknown, request, response, _next) => {
    const dialect = dialectOf(request.path);
    const refusal = toRefusal(error, dialect);
    // Its client hung up while it was still sending: nobody's mistake, and nobody to answer.
    if (refusal === undefined && request.destroyed && !request.complete) {
      response.destroy();
      return;
    }
    onRefusal(refusal?.code ?? 'internal');
    if (refusal !== undefined) {
      answer(response, dialect, refusal);
      return;
    }
    const requestId = requestIdOf(request) ?? 'unknown';
    log.error({ err: error, requestId, method: request.method, route: request.path }, 'request failed');
    const message = `internal error; tell the operator this id: ${requestId}`;
    answer(response, dialect, new BridgeError('internal', message));
  };
}

export const handleUnknownRoute: RequestHandler = (request, _response, next) => {
  next(new BridgeError('not_found', `there is no ${request.method} ${request.path.slice(0, 200)}`));
};

function answer(response: Response, dialect: Dialect, refusal: BridgeError): void {
  if (response.headersSent) {
    // Half of an answer is out: only cutting the connection tells the client that it is not whole.
    response.destroy();
    return;
  }
  discardRest(response.req, response);
  if (refusal.retryable) response.setHeader('Retry-After', String(refusal.retryAfter));
  const { code, message, details } = refusal;
  const [status, name] = dialect === 'v2' ? errorTable[code].v2 : [refusal.status, code];
  if (dialect === 'compat') response.status(status).json({ detail: message });
  else response.status(status).json({ error: { code: name, message, ...(details && { details }) } });
}

/** Refusals of ours, a store that keeps nothing now, and what Express makes of bad requests (they carry a 4xx status). */
function toRefusal(error: unknown, dialect: Dialect): BridgeError | undefined {
  if (error instanceof BridgeError) return error;
  // An id that cannot be decoded names nothing; the contract has no other status for a request without a body.
  if (error instanceof URIError && dialect === 'v2')
    return new BridgeError('not_found', 'there is no such thing: its id in the URL cannot be read');
  if (error instanceof JobStoreError)
    return new BridgeError(error.reason === 'full' ? 'storage_full' : 'unavailable', error.message);
  if (typeof error !== 'object' || error === null || !('status' in error)) return undefined;
  const { status } = error;
  if (status === 413) return new BridgeError('too_large', 'the request body is too large');
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new BridgeError('bad_request', 'the request cannot be read: check its URL, headers and body');
  }
  return undefined;
}
