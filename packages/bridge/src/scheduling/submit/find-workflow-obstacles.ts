import type { WorkflowVerdict } from '@comfy-bridge/protocol';

import { resolveInput } from '../../workflows/inputs/input-spec.ts';
import type { PublishedWorkflow } from '../../workflows/catalog/published-workflow.ts';
import type { Fleet } from '../../backends/fleet.ts';
import type { Kind } from '../../placement/kind.ts';
import type { BindRequest } from './bind-request.ts';
import type { ClassifyJob } from '../classify-job.ts';
import { describeVerdict, findObstacles } from '../find-obstacles.ts';
import { explainAbsence } from '../explain-placement.ts';
import type { ExplainDeps } from '../explain-placement.ts';
import type { BackendJudge } from '../judge-backend.ts';

export interface WorkflowObstaclesDeps {
  fleet: Fleet;
  judge: BackendJudge;
  classify: ClassifyJob;
  bind: BindRequest;
}

/** Whether a workflow can be run, in words for the caller. */
export interface WorkflowObstacles {
  /** Why no machine of the fleet can run it; undefined when one can, or may. */
  obstacles: string | undefined;
  /** Why none runs it now; undefined when one does, be it after what it has to do. */
  notNow: string | undefined;
}

/**
 * Looks at a workflow with the author's values. Files that a caller may send need not be there, nor what must be sent.
 */
export type FindWorkflowObstacles = (workflow: PublishedWorkflow) => Promise<WorkflowObstacles>;

export function createFindWorkflowObstacles(
  deps: WorkflowObstaclesDeps & Pick<ExplainDeps, 'seats' | 'now'>,
): FindWorkflowObstacles {
  const { fleet, judge } = deps;
  return async (workflow) => {
    const none = 'the fleet has no ComfyUI';
    if (fleet.backends.length === 0) return { obstacles: none, notNow: none };
    const kind = await classifyWorkflow(deps, workflow);
    const obstacles = kind === undefined ? undefined : findObstacles({ fleet, judge }, kind);
    return { obstacles, notNow: obstacles ?? explainAbsence(deps, kind) };
  };
}

/** Whether each machine can run a workflow, and what it lacks. Empty when the author's values alone make no job. */
export type JudgeWorkflow = (workflow: PublishedWorkflow) => Promise<WorkflowVerdict[]>;

export function createJudgeWorkflow(deps: WorkflowObstaclesDeps): JudgeWorkflow {
  const { fleet, judge } = deps;
  return async (workflow) => {
    const kind = await classifyWorkflow(deps, workflow);
    if (kind === undefined) return [];
    return fleet.backends.map((backend) => {
      const verdict = judge.verdict(kind, backend);
      const isUnknown = !verdict.able && verdict.reason === 'unknown';
      return {
        backend: backend.name,
        can_run: isUnknown ? null : verdict.able,
        reason: verdict.able ? null : describeVerdict(verdict),
        lacks:
          verdict.able || verdict.reason !== 'lacks'
            ? []
            : verdict.lacks.map(({ classType, inputName, value }) => ({
                class_type: classType,
                input: inputName,
                value,
              })),
      };
    });
  };
}

async function classifyWorkflow(
  { fleet, classify, bind }: WorkflowObstaclesDeps,
  workflow: PublishedWorkflow,
): Promise<Kind | undefined> {
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
  return classify({
    workflow: workflow.alias,
    prompt: bound.prompt,
    stagedInputs: [...bound.stagedInputs, ...toCome],
  });
}

function withoutDuties(workflow: PublishedWorkflow): PublishedWorkflow {
  const inputs = workflow.inputs.map((input) => ({ ...input, mark: { ...input.mark, required: false } }));
  return { ...workflow, inputs };
}
