import type { WorkflowListEntry } from '@comfy-bridge/protocol';
import { Router } from 'express';
import type { Response } from 'express';

import type { Fleet } from '../../backends/fleet.ts';
import { BridgeError } from '../../errors.ts';
import { stringifyLossless } from '../../lib/lossless-json.ts';
import { describeInputs } from '../../workflows/inputs/describe-inputs.ts';
import { unknownWorkflowMessage } from '../../workflows/inputs/input-messages.ts';
import { isVisible, visibleWorkflows } from '../requests/visible-workflows.ts';
import type { WorkflowCatalog } from '../../workflows/catalog/workflow-catalog.ts';

/** `GET /workflow-list` and `GET /workflow-info`. */
export function createWorkflowRoutes({
  workflows,
  fleet,
}: {
  workflows: WorkflowCatalog;
  fleet: Fleet;
}): Router {
  const router = Router();

  router.get('/workflow-list', async (request, response) => {
    await workflows.refreshSoon();
    const published = visibleWorkflows(request, workflows.list());
    if (request.query['detail'] !== 'full') {
      response.json(published.map(({ alias }) => alias));
      return;
    }
    response.json(
      await Promise.all(
        published.map(async (workflow): Promise<WorkflowListEntry> => ({
          alias: workflow.alias,
          fn: workflow.fileName,
          description: workflow.description,
          thumbnail: (await workflows.readThumbnail(workflow)) ?? '',
        })),
      ),
    );
  });

  router.get('/workflow-info', async (request, response) => {
    const alias = request.query['workflow'];
    await workflows.refreshSoon();
    const known = () => visibleWorkflows(request, workflows.list()).map((workflow) => workflow.alias);
    if (typeof alias !== 'string' || alias === '') {
      throw new BridgeError('bad_request', `workflow is missing in the query: one of ${known().join(', ')}`);
    }
    const workflow = workflows.get(alias);
    if (workflow === undefined || !isVisible(request, workflow.alias))
      throw new BridgeError('unknown_workflow', unknownWorkflowMessage(alias, known()));
    const descimages = await workflows.readDescImages(workflow);
    sendLossless(response, describeInputs(workflow, fleet.findDefinition, { descimages }));
  });

  return router;
}

/** Seeds may be 64 bit wide, which `response.json` cannot write. */
function sendLossless(response: Response, value: unknown): void {
  response.type('application/json').send(stringifyLossless(value));
}
