import type { Fleet } from '../backends/fleet.ts';
import type { Job } from '../jobs/job.ts';
import type { WorkflowCatalog } from '../workflows/catalog/workflow-catalog.ts';
import { summarizeInputs } from '../workflows/inputs/summarize-inputs.ts';

/** How the first text that a job was given begins; null when there is none that a caller may know. */
export type SummarizeJob = (job: Job) => string | null;

export function createSummarizeJob({
  workflows,
  fleet,
}: {
  workflows: Pick<WorkflowCatalog, 'get'>;
  fleet: Pick<Fleet, 'findDefinition'>;
}): SummarizeJob {
  /** A job is told again and again, and its prompt never changes. */
  const known = new WeakMap<Job['prompt'], string | null>();

  function summarize({ workflow: name, prompt }: Job): string | null {
    if (name.startsWith('graph:')) return summarizeInputs(undefined, prompt, fleet.findDefinition);
    const workflow = workflows.get(name);
    // The graph of a published workflow is its author's.
    return workflow === undefined ? null : summarizeInputs(workflow, prompt, fleet.findDefinition);
  }

  return (job) => {
    const told = known.get(job.prompt);
    if (told !== undefined) return told;
    const summary = summarize(job);
    known.set(job.prompt, summary);
    return summary;
  };
}
