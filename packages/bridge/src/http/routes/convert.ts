import { Router } from 'express';

import type { Fleet } from '../../backends/fleet.ts';
import { BridgeError } from '../../errors.ts';
import { stringifyLossless } from '../../lib/lossless-json.ts';
import { convertOrRefuse } from '../../workflows/convert-ui/convert-or-refuse.ts';
import { isUiWorkflow } from '../../workflows/convert-ui/is-ui-workflow.ts';
import type { GraphGuard } from '../requests/may-run-graphs.ts';
import { requireGraphs } from '../requests/may-run-graphs.ts';
import { readJsonObject } from '../requests/read-json.ts';

const maxBytes = 10 * 1024 * 1024;
const example = '{"workflow": {"nodes": [], "links": [], "version": 0.4}}';

/**
 * `POST /api/bridge/convert`: a workflow as the editor saves it, made into what the editor would send to a machine of the
 * fleet. Exactly, or `invalid_workflow` with every reason.
 */
export function createConvertRoutes({
  fleet,
  mayRunGraphs,
}: { fleet: Pick<Fleet, 'findDefinition'> } & GraphGuard): Router {
  const router = Router();
  router.post('/api/bridge/convert', async (request, response) => {
    requireGraphs({ mayRunGraphs }, request);
    const { workflow } = await readJsonObject(request, maxBytes, example);
    if (!isUiWorkflow(workflow))
      throw new BridgeError(
        'bad_request',
        'workflow is not what the editor saves, an object with lists of nodes and links: one in API format needs no converting',
      );
    const prompt = convertOrRefuse(workflow, { findDefinition: fleet.findDefinition });
    response.type('application/json').send(stringifyLossless({ workflow: prompt }));
  });
  return router;
}
