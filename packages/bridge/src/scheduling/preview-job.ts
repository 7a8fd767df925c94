import type { Fleet } from '../backends/fleet.ts';
import { BridgeError } from '../errors.ts';
import { bindInputs } from '../workflows/bind-inputs.ts';
import { messageForProblems, unknownWorkflowMessage } from '../workflows/input-messages.ts';
import type { WorkflowCatalog } from '../workflows/workflow-catalog.ts';
import type { ClassifyJob } from './classify-job.ts';
import { explainPlacement } from './explain-placement.ts';
import type { ExplainDeps, PlacementExplanation } from './explain-placement.ts';

export interface PreviewDeps extends ExplainDeps {
  fleet: Fleet;
  workflows: WorkflowCatalog;
  classify: ClassifyJob;
}

/** What would become of a job with these inputs, without submitting it. Uploads need not be there yet. */
export type PreviewJob = (
  alias: string,
  values: Record<string, unknown>,
) => Promise<PlacementExplanation & { workflow: string }>;

export function createPreviewJob(deps: PreviewDeps): PreviewJob {
  const { workflows, fleet, classify } = deps;
  return async (alias, values) => {
    await workflows.refreshSoon();
    const workflow = workflows.get(alias);
    if (workflow === undefined) {
      const known = workflows.list().map((published) => published.alias);
      throw new BridgeError('not_found', unknownWorkflowMessage(alias, known));
    }
    const bound = bindInputs(workflow, values, {
      findDefinition: fleet.findDefinition,
      isUploaded: () => true,
      isSample: (fileName) => workflows.isSample(fileName),
    });
    if (!bound.ok) throw new BridgeError('invalid_input', messageForProblems(bound.problems));
    const kind = classify({ ...bound, workflow: workflow.alias });
    return { workflow: workflow.alias, ...explainPlacement(deps, kind) };
  };
}
