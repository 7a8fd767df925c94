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
  | { ok: false; reason: 'no-ready-backend' }
  /** It finishes sooner by waiting for this one than on any that is free. */
  | { ok: false; reason: 'waits-for'; backend: string }
  | { ok: false; reason: 'incapable'; missing: readonly { backend: string; nodeClasses: string[] }[] };

/**
 * The placement policy, pure: of the backends that can run the job, the one that is expected to finish it first. If that one
 * has no free slot, the job waits for it: a fast machine that is busy may be sooner done than a slow one that is idle. Ties go
 * to one that is free, then to the one named first, so that a decision can be repeated.
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

  let best = { backend: '', expectedMs: Number.POSITIVE_INFINITY, isFree: false };
  for (const { name, backlogMs, runMs, freeSlots } of allowed) {
    const expectedMs = backlogMs + runMs;
    const isFree = freeSlots > 0;
    // Of two that are as good, one that can begin now.
    const isBetter =
      expectedMs < best.expectedMs || (expectedMs === best.expectedMs && isFree && !best.isFree);
    if (isBetter) best = { backend: name, expectedMs, isFree };
  }
  const { backend, expectedMs, isFree } = best;
  return isFree ? { ok: true, backend, expectedMs } : { ok: false, reason: 'waits-for', backend };
}

/** Whether a backend that offers these classes could run the job at all. */
export function canRun(offered: Candidate['nodeClasses'], { nodeClasses }: Wish): boolean {
  return offered !== undefined && nodeClasses.every((classType) => offered.has(classType));
}

function missingClasses(wish: Wish, candidate: Candidate): string[] {
  return wish.nodeClasses.filter((classType) => candidate.nodeClasses?.has(classType) !== true);
}
