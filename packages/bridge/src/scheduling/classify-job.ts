import type { Fleet } from '../backends/fleet.ts';
import type { Job } from '../jobs/job.ts';
import { sizeOf, toSizeClass } from '../placement/job-size.ts';
import { createKinds } from '../placement/kind.ts';
import type { Kind } from '../placement/kind.ts';
import { compileNeeds } from '../placement/needs.ts';

type Classified = Pick<Job, 'workflow' | 'prompt' | 'stagedInputs'>;

/** What a job is to the placement: its workflow, its size, and what it needs as the fleet describes its nodes now. */
export type ClassifyJob = (job: Classified) => Kind;

export function createClassifier({ fleet }: { fleet: Fleet }): ClassifyJob {
  const kinds = createKinds();
  return ({ workflow, prompt, stagedInputs }) => {
    const needs = compileNeeds(prompt, {
      findDefinition: fleet.findDefinition,
      isStaged: (nodeId, inputName) =>
        stagedInputs.some((staged) => staged.nodeId === nodeId && staged.inputName === inputName),
    });
    return kinds.intern(workflow, toSizeClass(sizeOf(prompt)), needs);
  };
}
