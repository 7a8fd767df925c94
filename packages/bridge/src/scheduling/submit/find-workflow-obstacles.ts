import { resolveInput } from '../../workflows/inputs/input-spec.ts';
import type { PublishedWorkflow } from '../../workflows/catalog/published-workflow.ts';
import type { Fleet } from '../../backends/fleet.ts';
import type { BindRequest } from './bind-request.ts';
import type { ClassifyJob } from '../classify-job.ts';
import { findObstacles } from '../find-obstacles.ts';
import type { BackendJudge } from '../judge-backend.ts';

export interface WorkflowObstaclesDeps {
  fleet: Fleet;
  judge: BackendJudge;
  classify: ClassifyJob;
  bind: BindRequest;
}

/**
 * Why no machine of the fleet can run a workflow with the author's values, in words for the caller; undefined when one can,
 * or may. Files that a caller may send need not be there, nor what must be sent.
 */
export type FindWorkflowObstacles = (workflow: PublishedWorkflow) => Promise<string | undefined>;

export function createFindWorkflowObstacles(deps: WorkflowObstaclesDeps): FindWorkflowObstacles {
  const { fleet, judge, classify, bind } = deps;
  return async (workflow) => {
    if (fleet.backends.length === 0) return 'the fleet has no ComfyUI';
    const [bound] = await bind(withoutDuties(workflow), [{}]);
    if (bound?.ok !== true) return undefined;
    const fileInputs = workflow.inputs.filter(
      (input) => resolveInput(input, fleet.findDefinition(input.classType)).format !== undefined,
    );
    const toCome = fileInputs.map(({ nodeId, inputName }) => ({
      nodeId,
      inputName,
      source: { kind: 'sample', fileName: '' } as const,
    }));
    const job = {
      workflow: workflow.alias,
      prompt: bound.prompt,
      stagedInputs: [...bound.stagedInputs, ...toCome],
    };
    return findObstacles({ fleet, judge }, classify(job));
  };
}

function withoutDuties(workflow: PublishedWorkflow): PublishedWorkflow {
  const inputs = workflow.inputs.map((input) => ({ ...input, mark: { ...input.mark, required: false } }));
  return { ...workflow, inputs };
}
