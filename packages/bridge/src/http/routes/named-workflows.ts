import { Router } from 'express';
import type { Request } from 'express';

import type { Fleet } from '../../backends/fleet.ts';
import { BridgeError } from '../../errors.ts';
import { hashContent } from '../../lib/content-hash.ts';
import { stringifyLossless } from '../../lib/lossless-json.ts';
import type { FindWorkflowObstacles } from '../../scheduling/submit/find-workflow-obstacles.ts';
import type { PublishedWorkflow } from '../../workflows/catalog/published-workflow.ts';
import { requireWorkflow } from '../../workflows/catalog/require-workflow.ts';
import type { WorkflowCatalog } from '../../workflows/catalog/workflow-catalog.ts';
import { visibleWorkflows } from '../requests/visible-workflows.ts';
import { isMatch } from '../requests/byte-range.ts';
import { describeDetail, describeEntry } from '../answers/describe-workflow.ts';
import type { WorkflowContext } from '../answers/describe-workflow.ts';
import { pictureType } from '../answers/picture-type.ts';

export interface NamedWorkflowsDeps {
  workflows: WorkflowCatalog;
  fleet: Pick<Fleet, 'findDefinition'>;
  findObstacles: FindWorkflowObstacles;
  basePath: string;
}

/** `GET /api/bridge/workflows`: what can be run, and how: with schemas of what goes in and what comes out. */
export function createNamedWorkflowRoutes(deps: NamedWorkflowsDeps): Router {
  const { workflows, fleet, basePath } = deps;
  const router = Router();

  async function contextOf(workflow: PublishedWorkflow): Promise<WorkflowContext> {
    const [picture, obstacles] = await Promise.all([readPicture(workflow), deps.findObstacles(workflow)]);
    return { basePath, hasThumbnail: picture !== undefined, obstacles };
  }

  async function readPicture(workflow: PublishedWorkflow) {
    const base64 = await workflows.readThumbnail(workflow);
    // The first bytes tell, whatever its name says.
    const type = base64 === undefined ? undefined : pictureType(Buffer.from(base64.slice(0, 32), 'base64'));
    return base64 === undefined || type === undefined ? undefined : { base64, type };
  }

  const require = ({ params: { alias } }: Request) => requireWorkflow(workflows, String(alias), 'not_found');

  router.get('/api/bridge/workflows', async (request, response) => {
    await workflows.refreshSoon();
    const entries = await Promise.all(
      visibleWorkflows(request, workflows.list()).map(async (workflow) =>
        describeEntry(workflow, fleet.findDefinition, await contextOf(workflow)),
      ),
    );
    response.json({ workflows: entries });
  });

  router.get('/api/bridge/workflows/:alias', async (request, response) => {
    const workflow = await require(request);
    const detail = describeDetail(workflow, fleet.findDefinition, await contextOf(workflow));
    response.type('application/json').send(stringifyLossless(detail));
  });

  router.get('/api/bridge/workflows/:alias/thumbnail', async (request, response) => {
    const picture = await readPicture(await require(request));
    if (picture === undefined) throw new BridgeError('not_found', 'this workflow has no thumbnail');
    const bytes = Buffer.from(picture.base64, 'base64');
    const etag = `"${hashContent(bytes)}"`;
    response.setHeader('ETag', etag);
    // May be kept, and is asked for again: a new picture is seen at once.
    response.setHeader('Cache-Control', 'no-cache');
    if (isMatch(request.get('If-None-Match'), etag)) response.status(304).end();
    else response.type(picture.type).send(bytes);
  });

  return router;
}
