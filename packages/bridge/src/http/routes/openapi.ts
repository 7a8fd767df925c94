import { Router } from 'express';
import type { Request } from 'express';

import type { Fleet } from '../../backends/fleet.ts';
import { BridgeError } from '../../errors.ts';
import { toInputSchema } from '../../workflows/inputs/input-schema.ts';
import type { WorkflowCatalog } from '../../workflows/catalog/workflow-catalog.ts';
import { createDocumentCache } from '../openapi/document-cache.ts';
import { originOf } from '../requests/origin-of.ts';
import { seesEveryWorkflow } from '../requests/visible-workflows.ts';
import { sendUnlessKnown } from '../answers/send-unless-known.ts';

export interface OpenApiDeps {
  workflows: WorkflowCatalog;
  fleet: Pick<Fleet, 'findDefinition' | 'definitionsVersion'>;
}

/** `GET /openapi.json`: everything that the bridge serves, with an operation for each published workflow. */
export function createOpenApiRoutes(
  { workflows, fleet }: OpenApiDeps,
  { version, basePath, keysRequired }: { version: string; basePath: string; keysRequired: boolean },
): Router {
  const router = Router();
  const documents = createDocumentCache({
    version,
    keysRequired,
    revision: () => [workflows.list(), fleet.definitionsVersion],
    describe: () =>
      workflows.list().map((workflow) => ({
        alias: workflow.alias,
        description: workflow.description,
        inputSchema: toInputSchema(workflow, fleet.findDefinition),
      })),
  });

  router.get('/openapi.json', async (request, response) => {
    // A key that may see some of them gets the document of all callers, without any.
    const wanted = seesEveryWorkflow(request) ? readWanted(request) : 'none';
    await workflows.refreshSoon();
    const { text, etag } = documents({
      server: `${originOf(request)}${basePath}`,
      workflows: wanted,
    });
    sendUnlessKnown(request, response, { etag, contentType: 'application/json', body: text });
  });

  return router;
}

function readWanted(request: Request): 'all' | 'none' {
  const { workflows = 'all' } = request.query;
  if (workflows === 'all' || workflows === 'none') return workflows;
  throw new BridgeError('bad_request', 'workflows is all or none');
}
