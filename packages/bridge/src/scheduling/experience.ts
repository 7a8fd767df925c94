import { createCostModel } from '../placement/cost-model.ts';
import type { CostModel } from '../placement/cost-model.ts';
import { createHangLimits } from '../placement/hang-limits.ts';
import type { HangLimits } from '../placement/hang-limits.ts';
import { createMemoryEvidence } from '../placement/memory-evidence.ts';
import type { MemoryEvidence } from '../placement/memory-evidence.ts';

/** What this bridge has learned from the jobs that it ran. */
export interface Experience {
  readonly costs: CostModel;
  readonly memory: MemoryEvidence;
  readonly hangs: HangLimits;
}

export function createExperience(): Experience {
  return { costs: createCostModel(), memory: createMemoryEvidence(), hangs: createHangLimits() };
}
