import type { Fleet } from '../../backends/fleet.ts';
import { BridgeError } from '../../errors.ts';
import { bindInputs } from '../../workflows/inputs/bind-inputs.ts';
import { messageForProblems } from '../../workflows/inputs/input-messages.ts';
import { requireWorkflow } from '../../workflows/catalog/require-workflow.ts';
import { resolveInputKeys } from '../../workflows/inputs/resolve-input-keys.ts';
import type { WorkflowCatalog } from '../../workflows/catalog/workflow-catalog.ts';
import type { ClassifyJob } from '../classify-job.ts';
import { explainPlacement } from '../explain-placement.ts';
import type { ExplainDeps, PlacementExplanation } from '../explain-placement.ts';

export interface PreviewDeps extends ExplainDeps {
  fleet: Fleet;
  workflows: WorkflowCatalog;
  classify: ClassifyJob;
}

/** What would become of a job with these inputs (by name, label or key), without submitting it. Uploads need not be there yet. */
export type PreviewJob = (
  alias: string,
  values: Record<string, unknown>,
) => Promise<PlacementExplanation & { workflow: string }>;

export function createPreviewJob(deps: PreviewDeps): PreviewJob {
  const { workflows, fleet, classify } = deps;
  return async (alias, values) => {
    const workflow = await requireWorkflow(workflows, alias, 'not_found');
    const resolved = resolveInputKeys(workflow, values);
    if (!resolved.ok) throw new BridgeError('invalid_input', messageForProblems(resolved.problems));
    const bound = bindInputs(workflow, resolved.values, {
      findDefinition: fleet.findDefinition,
      isUploaded: () => true,
      isSample: (fileName) => workflows.isSample(fileName),
    });
    if (!bound.ok) throw new BridgeError('invalid_input', messageForProblems(bound.problems));
    const kind = classify({ ...bound, workflow: workflow.alias });
    return { workflow: workflow.alias, ...explainPlacement(deps, kind) };
  };
}
