import type { ApiPrompt } from '@comfy-bridge/protocol';

import type { Job } from '../jobs/job.ts';

/** The node classes that a prompt needs. */
export function nodeClassesOf(prompt: ApiPrompt): string[] {
  return [...new Set(Object.values(prompt).map((node) => node.class_type))];
}

/** What the policy needs to know of a waiting job. */
export interface Wish {
  workflow: string;
  nodeClasses: readonly string[];
  /** Names of backends that already lost an attempt of this job: used again only when no other one can run it. */
  excluded: readonly string[];
}

export function toWish({ workflow, prompt, excluded }: Job): Wish {
  return { workflow, nodeClasses: nodeClassesOf(prompt), excluded };
}

/** What the policy needs to know of a backend, as of now. */
export interface Candidate {
  name: string;
  /** Undefined: not known yet; such a backend is not eligible. */
  nodeClasses: { has(classType: string): boolean } | undefined;
  ready: boolean;
  freeSlots: number;
  /** Work that is before a new prompt there, in ms: what remains of the running one, our prefetched one, foreign ones. */
  backlogMs: number;
  /** Expected run time of this workflow there, in ms. */
  runMs: number;
}

export type Pick =
  | { ok: true; backend: string; expectedMs: number }
  | { ok: false; reason: 'busy' | 'no-ready-backend' }
  | { ok: false; reason: 'incapable'; missing: readonly { backend: string; nodeClasses: string[] }[] };

/**
 * The placement policy, pure: of the backends that can run the job and have a free slot, the one that is expected to
 * finish it first. Ties go to the one named first, so that a decision can be repeated.
 */
export function pickBackend(wish: Wish, candidates: readonly Candidate[]): Pick {
  const ready = candidates.filter((candidate) => candidate.ready && candidate.nodeClasses !== undefined);
  if (ready.length === 0) return { ok: false, reason: 'no-ready-backend' };

  const capable = ready.filter((candidate) => missingClasses(wish, candidate).length === 0);
  if (capable.length === 0) {
    const missing = ready.map((candidate) => ({
      backend: candidate.name,
      nodeClasses: missingClasses(wish, candidate),
    }));
    return { ok: false, reason: 'incapable', missing };
  }

  const others = capable.filter((candidate) => !wish.excluded.includes(candidate.name));
  const allowed = others.length > 0 ? others : capable;

  let best: { backend: string; expectedMs: number } | undefined;
  for (const candidate of allowed) {
    if (candidate.freeSlots <= 0) continue;
    const expectedMs = candidate.backlogMs + candidate.runMs;
    if (best === undefined || expectedMs < best.expectedMs) best = { backend: candidate.name, expectedMs };
  }
  return best === undefined ? { ok: false, reason: 'busy' } : { ok: true, ...best };
}

/** Whether a backend that offers these classes could run the job at all. */
export function canRun(offered: Candidate['nodeClasses'], { nodeClasses }: Wish): boolean {
  return offered !== undefined && nodeClasses.every((classType) => offered.has(classType));
}

function missingClasses(wish: Wish, candidate: Candidate): string[] {
  return wish.nodeClasses.filter((classType) => candidate.nodeClasses?.has(classType) !== true);
}
