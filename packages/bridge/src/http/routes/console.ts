import { Router } from 'express';
import type { Request, Response } from 'express';

import { BridgeError } from '../../errors.ts';
import type { Encoding, Page, PageFile } from '../console/read-page.ts';
import { isMatch } from '../requests/byte-range.ts';

/**
 * The page loads nothing from elsewhere and runs nothing but its own files; pictures and videos come from the bridge, or from
 * what the person has chosen (`blob:`). Browsers of today take `'self'` for the WebSocket too.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "font-src 'self'",
  "manifest-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** A picture may be taken with the camera; nothing else of the device is asked for. */
const permissionsPolicy = 'camera=(self), microphone=(), geolocation=()';

const notBuilt = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>The page is not built</title>
  </head>
  <body>
    <h1>The bridge runs; its page is not built yet</h1>
    <p><code>npm run exec -- turbo run build</code> in its folder builds it; then start the bridge again. The API does not need
      it: see <a href="docs">docs</a>.</p>
  </body>
</html>
`;

/** `GET /` and its files: the page of the bridge, for everybody. What it shows comes over the API, which asks who it is. */
export function createConsoleRoutes(page: Page | undefined, { basePath }: { basePath: string }): Router {
  const router = Router();

  router.get('/', async (request, response) => {
    // The page's links are relative to a path with a slash at its end.
    if (request.baseUrl !== '' && pathOf(request) === request.baseUrl)
      return response.redirect(308, `${basePath}/`);
    if (page === undefined) {
      response.type('html').send(notBuilt);
      return;
    }
    response.setHeader('Content-Security-Policy', contentSecurityPolicy);
    response.setHeader('Permissions-Policy', permissionsPolicy);
    await sendPageFile(request, response, page.index, 'no-cache');
  });

  router.get('/console/:file', async (request, response) => {
    const file = page?.files.get(request.params.file);
    if (file === undefined) throw new BridgeError('not_found', 'the page has no such file');
    await sendPageFile(request, response, file, 'public, max-age=31536000, immutable');
  });

  return router;
}

/** As it came, without the query. */
function pathOf({ originalUrl }: Request): string {
  return originalUrl.split('?', 1)[0] ?? '';
}

async function sendPageFile(
  request: Request,
  response: Response,
  file: PageFile,
  cacheControl: string,
): Promise<void> {
  const encoding = file.isText ? chooseEncoding(request) : 'identity';
  const etag = `"${file.hash}${encoding === 'identity' ? '' : `-${encoding}`}"`;
  response.setHeader('ETag', etag);
  response.setHeader('Cache-Control', cacheControl);
  if (file.isText) response.vary('Accept-Encoding');
  if (isMatch(request.get('If-None-Match'), etag)) {
    response.status(304).end();
    return;
  }
  if (encoding !== 'identity') response.setHeader('Content-Encoding', encoding);
  response.setHeader('Content-Type', file.contentType);
  response.send(await file.encoded(encoding));
}

function chooseEncoding(request: Request): Encoding {
  const accepted = request.acceptsEncodings();
  if (accepted.includes('br')) return 'br';
  return accepted.includes('gzip') ? 'gzip' : 'identity';
}
