/** What a job's workflow is called where few names are allowed: an alias, `graph` for callers' own graphs, or `other`. */
export type LabelOf = (workflow: string) => string;

const defaultMax = 100;

/**
 * At most so many aliases get a label of their own, first come first served; the others share `other`. A label that was given stays,
 * so that a job is counted under one name from its start to its end. Names come from published workflows alone, never from callers.
 */
export function createWorkflowLabels({ max = defaultMax }: { max?: number } = {}): LabelOf {
  const known = new Set<string>();
  return (workflow) => {
    if (workflow.startsWith('graph:')) return 'graph';
    if (known.has(workflow)) return workflow;
    if (known.size >= max) return 'other';
    known.add(workflow);
    return workflow;
  };
}
