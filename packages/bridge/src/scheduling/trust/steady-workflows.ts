/** Which workflows give the same twice, as far as that was seen. */
export interface SteadyWorkflows {
  isSteady(workflow: string): boolean;
  /** Its runs differed, and nobody could say whose is wrong. */
  differed(workflow: string): void;
}

const mostDifferences = 3;
const forgetAfterMs = 86_400_000;
const mostWorkflows = 1_000;

/**
 * Some workflows never give the same twice: a node that asks a service, draws its own random numbers, or works otherwise on
 * each kind of GPU. One whose runs have differed three times without a culprit is left alone for a day.
 */
export function createSteadyWorkflows({ now }: { now: () => number }): SteadyWorkflows {
  const seen = new Map<string, { count: number; at: number }>();
  return {
    isSteady(workflow) {
      const known = seen.get(workflow);
      if (known === undefined || known.count < mostDifferences) return true;
      if (Math.abs(now() - known.at) < forgetAfterMs) return false;
      seen.delete(workflow);
      return true;
    },
    differed(workflow) {
      const count = (seen.get(workflow)?.count ?? 0) + 1;
      seen.delete(workflow);
      seen.set(workflow, { count, at: now() });
      const [oldest] = seen.keys();
      if (seen.size > mostWorkflows && oldest !== undefined) seen.delete(oldest);
    },
  };
}
