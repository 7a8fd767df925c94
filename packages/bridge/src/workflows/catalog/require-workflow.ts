import { BridgeError } from '../../errors.ts';
import { unknownWorkflowMessage } from '../inputs/input-messages.ts';
import type { PublishedWorkflow } from './published-workflow.ts';
import type { WorkflowCatalog } from './workflow-catalog.ts';

/** The workflow that a caller names, as it is published now; else refuses with `code` and says which there are. */
export async function requireWorkflow(
  workflows: Pick<WorkflowCatalog, 'refreshSoon' | 'get' | 'list'>,
  name: string,
  code: 'unknown_workflow' | 'not_found',
): Promise<PublishedWorkflow> {
  await workflows.refreshSoon();
  const workflow = workflows.get(name);
  if (workflow !== undefined) return workflow;
  const known = workflows.list().map(({ alias }) => alias);
  throw new BridgeError(code, unknownWorkflowMessage(name, known));
}
