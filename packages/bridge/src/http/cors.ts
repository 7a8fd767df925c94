import type { RequestHandler } from 'express';

/** What a page may read: reasons, parts of files, and how a resumable upload stands. */
const exposedHeaders = [
  ...['X-Detail', 'Retry-After', 'Location', 'Content-Disposition', 'Content-Range', 'Accept-Ranges', 'ETag'],
  ...['RateLimit', 'RateLimit-Policy', 'WWW-Authenticate', 'X-Request-Id'],
  ...['Preference-Applied', 'Idempotency-Replayed', 'X-Job-Id'],
  ...['Tus-Resumable', 'Tus-Version', 'Tus-Extension', 'Tus-Max-Size'],
  ...['Upload-Offset', 'Upload-Length', 'Upload-Metadata', 'Upload-Expires'],
].join(', ');

const allowedHeaders = [
  ...['Content-Type', 'Authorization', 'X-API-Key', 'Idempotency-Key', 'Last-Event-ID', 'Prefer', 'Priority'],
  ...[
    'Range',
    'If-Range',
    'If-None-Match',
    'If-Match',
    'Tus-Resumable',
    'Upload-Offset',
    'Upload-Length',
    'Upload-Metadata',
  ],
].join(', ');

/**
 * Cross-origin rules: nothing for the same origin, an exact echo for listed origins, `*` for the open setup of the
 * original. A preflight of an origin that is not allowed gets no permission and ends there.
 */
export function createCors(origins: '*' | readonly string[]): RequestHandler {
  const open = origins === '*';
  const allowed = new Set(open ? [] : origins);
  return (request, response, next) => {
    const { origin } = request.headers;
    if (!open) response.vary('Origin');
    if (origin !== undefined && (open || allowed.has(origin))) {
      response.setHeader('Access-Control-Allow-Origin', open ? '*' : origin);
      response.setHeader('Access-Control-Expose-Headers', exposedHeaders);
      if (request.method === 'OPTIONS') {
        response.setHeader('Access-Control-Allow-Methods', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS');
        response.setHeader('Access-Control-Allow-Headers', allowedHeaders);
        response.setHeader('Access-Control-Max-Age', '600');
      }
    }
    if (request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined) {
      response.status(204).end();
      return;
    }
    next();
  };
}

/** Whether a browser page of `origin` may open a WebSocket: requests without `Origin` are no browser's. */
export function mayConnectFrom(
  { origin, host }: { origin?: string | undefined; host?: string | undefined },
  origins: '*' | readonly string[],
): boolean {
  if (origin === undefined || origins === '*' || origins.includes(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}
