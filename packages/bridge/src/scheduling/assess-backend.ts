import { settleBreaker, slotsAllowed } from '../backends/breaker.ts';
import { foreignPrompts } from '../backends/fleet.ts';
import type { Backend, Fleet } from '../backends/fleet.ts';
import type { Candidate, Wish } from './pick-backend.ts';
import type { RunTimes } from './run-times.ts';

/** Looks at a backend as the placement policy needs it, as of now. */
export interface BackendAssessor {
  /** `promisedMs`: work that jobs further ahead in the line will bring to a backend. */
  toCandidate(backend: Backend, wish: Wish, promisedMs?: ReadonlyMap<string, number>): Candidate;
}

export function createBackendAssessor(
  { fleet, runTimes }: { fleet: Fleet; runTimes: RunTimes },
  { slotsPerBackend, now }: { slotsPerBackend: number; now: () => number },
): BackendAssessor {
  function isTrusted({ state, breaker }: Backend): boolean {
    return state.status === 'ready' && settleBreaker(breaker, now()).state !== 'open';
  }

  function freeSlots(backend: Backend): number {
    const isLast = !fleet.backends.some((other) => other !== backend && isTrusted(other));
    return slotsAllowed(settleBreaker(backend.breaker, now()), slotsPerBackend, isLast) - backend.slots.size;
  }

  function toCandidate(
    backend: Backend,
    { workflow }: Wish,
    promisedMs?: ReadonlyMap<string, number>,
  ): Candidate {
    const { name, state, definitions, slots } = backend;
    const runMs = runTimes.expect(workflow, name);
    let backlogMs = foreignPrompts(backend) * runMs + (promisedMs?.get(name) ?? 0);
    for (const slot of slots.values()) {
      const expected = runTimes.expect(slot.workflow, name);
      const elapsed = slot.executingSince === null ? 0 : now() - slot.executingSince;
      // One that takes longer than expected is likely to take as much longer again: a hanging machine is not waited for.
      backlogMs += Math.abs(expected - elapsed);
    }
    const ready = state.status === 'ready' && !backend.isDraining;
    return {
      name,
      ready,
      nodeClasses: definitions,
      freeSlots: freeSlots(backend),
      backlogMs,
      runMs,
    };
  }

  return { toCandidate };
}
