import type { Requirements } from '@comfy-bridge/protocol';
import { Router } from 'express';
import type { Request, RequestHandler } from 'express';
import { z } from 'zod';

import type { Fleet } from '../../backends/fleet.ts';
import { BridgeError } from '../../errors.ts';
import { tagsSchema } from '../../lib/tags.ts';
import { unknownWorkflowMessage } from '../../workflows/inputs/input-messages.ts';
import type { WorkflowCatalog } from '../../workflows/catalog/workflow-catalog.ts';
import type { WorkflowRequirements } from '../../workflows/catalog/workflow-requirements.ts';
import { readBody } from '../requests/read-body.ts';

export interface RequirementRoutesDeps {
  workflows: WorkflowCatalog;
  requirements: WorkflowRequirements;
  fleet: Fleet;
  requireOperator: RequestHandler;
}

const path = '/api/bridge/workflows/:alias/requirements';
export const requirementsRequestSchema = z.strictObject({ tags: tagsSchema });

/** What operators require of the machines that run a workflow. */
export function createRequirementRoutes(deps: RequirementRoutesDeps): Router {
  const { workflows, requirements, fleet, requireOperator } = deps;
  const router = Router();

  async function findAlias(request: Request): Promise<string> {
    const { alias: name } = request.params;
    await workflows.refreshSoon();
    const workflow = typeof name === 'string' ? workflows.get(name) : undefined;
    if (workflow !== undefined) return workflow.alias;
    const known = workflows.list().map(({ alias }) => alias);
    throw new BridgeError('not_found', unknownWorkflowMessage(String(name), known));
  }

  /** With the machines that meet them, for a tag that none has is easily mistyped. */
  function describe(workflow: string): Requirements {
    const tags = requirements.requiredTags(workflow);
    const fit = fleet.backends.filter((backend) => tags.every((tag) => backend.settings.tags.includes(tag)));
    return { workflow, tags, backends: fit.map(({ name }) => name) };
  }

  router.get(path, requireOperator, async (request, response) => {
    response.json(describe(await findAlias(request)));
  });

  router.put(path, requireOperator, async (request, response) => {
    const alias = await findAlias(request);
    const { tags } = await readBody(request, requirementsRequestSchema, '{"tags": ["gpu-24gb"]}');
    await requirements.requireTags(alias, tags);
    response.json(describe(alias));
  });

  return router;
}
