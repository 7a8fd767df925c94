import type { CostModel, Work } from './cost-model.ts';

export function aWork(workflow: string, fields: Partial<Work> = {}): Work {
  return { workflow, sizeClass: 20, models: [], ...fields };
}

/** Records runs, `times` of each: with everything loaded, or cold ones. */
export function recordRuns(costs: CostModel, { work, backend, ms, times = 1, isCold = false }: RunsOf): void {
  for (let run = 0; run < times; run += 1) costs.record({ work, backend, ms, isCold });
}

interface RunsOf {
  work: Work;
  backend: string;
  ms: number;
  times?: number;
  isCold?: boolean;
}

/** Rows as a store would keep them: an empty text takes one away. */
export function keepRows(
  kept: Map<string, string>,
  changes: ReadonlyMap<string, string>,
): Map<string, string> {
  for (const [key, text] of changes) {
    if (text === '') kept.delete(key);
    else kept.set(key, text);
  }
  return kept;
}
