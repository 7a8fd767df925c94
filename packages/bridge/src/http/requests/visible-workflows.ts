import type { Request } from 'express';

import { isInScope } from '../../access/workflow-scope.ts';
import { BridgeError } from '../../errors.ts';
import type { WorkflowCatalog } from '../../workflows/catalog/workflow-catalog.ts';
import { unknownWorkflowMessage } from '../../workflows/inputs/input-messages.ts';
import { identityOf } from './identity.ts';

// A key may be made for some workflows: the others are not there for it.

export function isVisible(request: Request, alias: string): boolean {
  return isInScope(identityOf(request)?.workflows ?? null, alias);
}

export function seesEveryWorkflow(request: Request): boolean {
  return (identityOf(request)?.workflows ?? null) === null;
}

export function visibleWorkflows<T extends { alias: string }>(
  request: Request,
  workflows: readonly T[],
): readonly T[] {
  return seesEveryWorkflow(request) ? workflows : workflows.filter(({ alias }) => isVisible(request, alias));
}

/**
 * Throws `code`, with what the caller may see, for a workflow that is not there for it. `mayBeNew`: one that nobody has
 * published is no reason, as long as its name is one of the caller's.
 */
export function requireVisible(
  request: Request,
  workflows: Pick<WorkflowCatalog, 'get' | 'list'>,
  name: string,
  code: 'unknown_workflow' | 'not_found',
  { mayBeNew = false } = {},
): void {
  if (seesEveryWorkflow(request)) return;
  const workflow = workflows.get(name);
  const isThere = workflow !== undefined && isVisible(request, workflow.alias);
  if (mayBeNew ? (workflow === undefined || isThere) && isVisible(request, name) : isThere) return;
  const known = visibleWorkflows(request, workflows.list()).map(({ alias }) => alias);
  throw new BridgeError(code, unknownWorkflowMessage(name, known));
}
