import type { Kind } from '../placement/kind.ts';
import type { Forecast } from '../placement/placement-policy.ts';
import type { Experience } from './experience.ts';
import type { RunningAttempt } from './attempt/launch-attempts.ts';

/** When a job is expected to be done, and how sure that is. Times are ms since the epoch. */
export interface JobForecast {
  /** Null once it runs. */
  startAt: number | null;
  finishAt: number;
  /** In eight of ten cases it is done between these. */
  earliestAt: number;
  latestAt: number;
  /** `measured`: from runs of this workflow on that machine; `estimated`: from others; `guessed`: it never ran. */
  basis: 'measured' | 'estimated' | 'guessed';
}

interface ForecastDeps {
  experience: Experience;
  now: () => number;
  kindOf(): Kind;
}

/** Deviations on either side that hold eight of ten cases, times what a mean deviation is less than a standard one. */
const eightOfTen = 1.28 * 1.25;
const words = { here: 'measured', elsewhere: 'estimated', guess: 'guessed' } as const;

/** Puts the plan, or the run under way, into words for its owner. Pure of everything but the clock that it is given. */
export function toForecast(
  { experience, now, kindOf }: ForecastDeps,
  { attempt, waits }: { attempt: RunningAttempt | undefined; waits: Forecast | undefined },
): JobForecast | undefined {
  const at = now();
  if (attempt !== undefined) {
    const { kind, backend, expectedMs, slot } = attempt;
    const { spread, basis } = experience.costs.run(kind.work, backend.name);
    const began = slot.executingSince ?? at;
    const range = Math.exp(eightOfTen * spread);
    return {
      startAt: slot.executingSince === null ? at : null,
      finishAt: Math.max(at, began + expectedMs),
      earliestAt: Math.max(at, began + expectedMs / range),
      latestAt: Math.max(at, began + expectedMs * range),
      basis: words[basis],
    };
  }
  if (waits === undefined) return undefined;
  const { spread, basis } = experience.costs.run(kindOf().work, waits.seat ?? '');
  const range = Math.exp(eightOfTen * spread);
  return {
    startAt: waits.startAt,
    finishAt: waits.finishAt,
    earliestAt: at + (waits.finishAt - at) / range,
    latestAt: at + (waits.finishAt - at) * range,
    basis: words[basis],
  };
}
