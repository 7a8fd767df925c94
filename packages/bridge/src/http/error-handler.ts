import { randomUUID } from 'node:crypto';

import type { ErrorCode } from '@comfy-bridge/protocol';
import type { ErrorRequestHandler, RequestHandler, Response } from 'express';

import { BridgeError } from '../errors.ts';
import { JobStoreError } from '../jobs/job-store.ts';
import type { Logger } from '../logging.ts';
import { discardRest } from './discard-rest.ts';

/**
 * The only place where an error becomes an answer: `{"detail": …}` with the status of the error table, and below `/api/` the
 * envelope of Comfy API v2, `{"error": {"code", "message"}}`.
 */
export function createErrorHandler(log: Logger, { basePath }: { basePath: string }): ErrorRequestHandler {
  const isApi = (path: string) => path.startsWith(`${basePath}/api/`);
  return (error: unknown, request, response, _next) => {
    const refusal = toRefusal(error);
    // Its client hung up while it was still sending: nobody's mistake, and nobody to answer.
    if (refusal === undefined && request.destroyed && !request.complete) {
      response.destroy();
      return;
    }
    if (refusal === undefined) {
      const requestId = randomUUID();
      log.error({ err: error, requestId, method: request.method, route: request.path }, 'request failed');
      answer(
        response,
        isApi(request.path),
        500,
        'internal',
        `internal error; tell the operator this id: ${requestId}`,
      );
      return;
    }
    if (refusal.retryable) response.setHeader('Retry-After', String(refusal.retryAfter));
    answer(response, isApi(request.path), refusal.status, refusal.code, refusal.message);
  };
}

export const handleUnknownRoute: RequestHandler = (request, _response, next) => {
  next(new BridgeError('not_found', `there is no ${request.method} ${request.path.slice(0, 200)}`));
};

function answer(response: Response, isApi: boolean, status: number, code: ErrorCode, detail: string): void {
  if (response.headersSent) {
    // Half of an answer is out: only cutting the connection tells the client that it is not whole.
    response.destroy();
    return;
  }
  discardRest(response.req, response);
  response.status(status).json(isApi ? { error: { code, message: detail } } : { detail });
}

/** Refusals of ours, a store that keeps nothing now, and what Express makes of bad requests (they carry a 4xx status). */
function toRefusal(error: unknown): BridgeError | undefined {
  if (error instanceof BridgeError) return error;
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
