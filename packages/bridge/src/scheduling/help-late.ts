import type { Backend } from '../backends/fleet.ts';
import type { JobId } from '../jobs/job.ts';
import type { Kind } from '../placement/kind.ts';
import { isWarm } from '../placement/seat.ts';
import type { Experience } from './experience.ts';
import { findHedges } from './find-hedges.ts';
import type { Executing } from './find-hedges.ts';
import { findSteals } from './find-steals.ts';
import type { Prefetched } from './find-steals.ts';
import type { FleetSeats } from './fleet-seats.ts';
import type { BackendJudge } from './judge-backend.ts';
import type { Launcher } from './attempt/launch-attempts.ts';
import type { Launch } from './attempt/perform-attempt.ts';

export interface HelpDeps {
  seats: FleetSeats;
  launcher: Launcher;
  judge: BackendJudge;
  experience: Experience;
  toLaunch(id: JobId, kind: Kind, backend: Backend): Launch;
}

/**
 * Idle backends take over what waits behind a stalled one, and, with `hedging`, run again what takes far too long. True
 * when there is both an idle backend and a job that may come to need it: then time alone may call for help.
 */
export function helpLate(deps: HelpDeps, { hedging, now }: { hedging: boolean; now: number }): boolean {
  const { launcher, toLaunch } = deps;
  const idle = findIdle(deps, now);
  if (idle.length === 0) return false;
  const prefetched = findPrefetched(deps);
  const executing = hedging ? findExecuting(deps) : [];
  const steals = findSteals(prefetched, idle, now);
  for (const { id } of steals) launcher.abort(id, 'move');
  const taken = new Set(steals.map(({ to }) => to));
  const left = idle.filter((backend) => !taken.has(backend));
  for (const { id, on } of findHedges(executing, left, now)) {
    const attempt = launcher.get(id);
    if (attempt !== undefined) launcher.hedge(toLaunch(id, attempt.kind, on));
  }
  for (const { backend } of launcher.running()) if (hedging || backend.slots.size > 1) return true;
  return false;
}

function findIdle({ seats }: HelpDeps, now: number): Backend[] {
  return seats.refresh().flatMap(({ isReady, freeSlots, freeAt }, index) => {
    const backend = isReady && freeSlots > 0 && freeAt <= now ? seats.backendAt(index) : undefined;
    return backend === undefined ? [] : [backend];
  });
}

function findPrefetched({ launcher, seats, judge }: HelpDeps): Prefetched[] {
  return [...launcher.running()].flatMap(({ id, kind, backend, slot }) => {
    if (slot.executingSince !== null || !slot.submitted || backend.slots.size < 2) return [];
    function costOn(idle: Backend) {
      const cost = judge.cost(kind, idle);
      if (cost === undefined) return undefined;
      return { ...cost, loadMs: isWarm(kind, idle.warmModels) ? 0 : cost.loadMs };
    }
    return [{ id, backend: backend.name, finishAt: seats.endOf(backend), costOn }];
  });
}

function findExecuting({ launcher, experience, judge }: HelpDeps): Executing[] {
  return [...launcher.running()].flatMap(({ id, kind, backend, slot, expectedMs, hedge }) => {
    // One that has given its slot back has run, and its results are on their way.
    const hasRun = backend.slots.get(id) !== slot;
    if (slot.executingSince === null || hasRun || hedge !== undefined) return [];
    const { spread, basis } = experience.costs.run(kind.work, backend.name);
    const canRunOn = (idle: Backend) => idle !== backend && judge.verdict(kind, idle).able;
    return [{ id, since: slot.executingSince, expectedMs, spread, basis, canRunOn }];
  });
}
