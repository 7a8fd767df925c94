import type { Backend, Lack } from '../backends/fleet.ts';
import { findLacks } from '../placement/find-lacks.ts';
import type { Kind } from '../placement/kind.ts';
import type { SeatCost } from '../placement/seat.ts';
import type { Experience } from './experience.ts';

/** Whether a backend can run a kind of job at all, whatever it does at the moment. */
export type Verdict =
  | { able: true }
  /** It was never reached: nobody knows. */
  | { able: false; reason: 'unknown' }
  | { able: false; reason: 'lacks'; lacks: readonly Lack[] }
  /** Its operator keeps it for other workflows, or the workflow wants tags that it does not have. */
  | { able: false; reason: 'reserved'; missingTags: readonly string[] }
  /** Runs of this size have gone out of memory with as much as it has. */
  | { able: false; reason: 'too-small'; usableBytes: number; neededBytes: number };

export interface BackendJudge {
  verdict(kind: Kind, backend: Backend): Verdict;
  /** Undefined: it cannot run it. */
  cost(kind: Kind, backend: Backend): SeatCost | undefined;
}

export interface JudgeDeps {
  experience: Experience;
  requiredTags(workflow: string): readonly string[];
  now: () => number;
}

export function createBackendJudge({ experience, requiredTags, now }: JudgeDeps): BackendJudge {
  const { costs, memory } = experience;

  function verdict({ work, needs }: Kind, backend: Backend): Verdict {
    const { settings, usableMemoryBytes } = backend;
    const missingTags = requiredTags(work.workflow).filter((tag) => !settings.tags.includes(tag));
    if (missingTags.length > 0 || settings.workflows?.includes(work.workflow) === false) {
      return { able: false, reason: 'reserved', missingTags };
    }
    const lacks = findLacks(needs, backend);
    if (lacks === undefined) return { able: false, reason: 'unknown' };
    if (lacks.length > 0) return { able: false, reason: 'lacks', lacks };
    if (memory.isTooSmall(work, usableMemoryBytes, now())) {
      const neededBytes = memory.needsMoreThan(work, now());
      return { able: false, reason: 'too-small', usableBytes: usableMemoryBytes, neededBytes };
    }
    return { able: true };
  }

  return {
    verdict,
    cost(kind, backend) {
      if (!verdict(kind, backend).able) return undefined;
      const { ms, basis } = costs.run(kind.work, backend.name);
      return { runMs: ms, loadMs: costs.loadMs(kind.work, backend.name), isProven: basis === 'here' };
    },
  };
}
