import { Router } from 'express';

import { BridgeError } from '../../errors.ts';
import { createDocsPages } from '../docs/assets.ts';
import { contentSecurityPolicy } from '../docs/page.ts';
import { sendUnlessKnown } from '../answers/send-unless-known.ts';

/** `GET /docs`: the document as a page, of files of ours and of Swagger UI's package; nothing comes from another host. */
export function createDocsRoutes(): Router {
  const router = Router();
  const pages = createDocsPages();

  router.get('/docs', (request, response) => {
    // The page's links are relative to a path without a slash at its end.
    if (request.path.endsWith('/')) {
      response.redirect(308, '../docs');
      return;
    }
    response.setHeader('Content-Security-Policy', contentSecurityPolicy);
    response.setHeader('Referrer-Policy', 'no-referrer');
    sendUnlessKnown(request, response, pages.page());
  });

  router.get('/docs/:file', async (request, response) => {
    const file = await pages.file(request.params.file);
    if (file === undefined) throw new BridgeError('not_found', 'the page has no such file');
    sendUnlessKnown(request, response, file);
  });

  return router;
}
