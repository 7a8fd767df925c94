import { countTries } from '../../jobs/job.ts';
import type { Experience } from '../experience.ts';
import type { EndedAttempt } from './perform-attempt.ts';

/**
 * Takes from an attempt's end what it says about costs and memory. True when it changes who can run what. `hasBigger`:
 * another backend with more memory could run it; without one, a job gets a second try with the memory freed, and only that
 * one counts.
 */
export function learnFromAttempt(
  { costs, memory }: Experience,
  { job, kind, backend, end, ranMs, isCold }: EndedAttempt,
  { at, hasBigger }: { at: number; hasBigger: boolean },
): boolean {
  const { work } = kind;
  if (end.kind === 'succeeded') {
    // What a ComfyUI answers from its cache says nothing of the work.
    if (ranMs !== undefined && isCold !== undefined && !end.wasCached) {
      costs.record({ work, backend: backend.name, ms: ranMs, isCold });
    }
    memory.wentWell(work, backend.usableMemoryBytes, end.peakMemoryBytes ?? 0, at);
    return false;
  }
  if (end.kind !== 'execution-error' || end.error.code !== 'out_of_memory') return false;
  backend.warmModels = new Set();
  if (!hasBigger && countTries(job) === 1) return false;
  memory.wentOut(work, backend.usableMemoryBytes, at);
  return true;
}
