import type { BackendVerdict, Placement } from '@comfy-bridge/protocol';

import type { Backend, Fleet } from '../backends/fleet.ts';
import { foreignPrompts } from '../backends/fleet.ts';
import { describeOwnersPause, isPausedByOwner, roomAt } from '../backends/lending.ts';
import type { Kind } from '../placement/kind.ts';
import { isWarm } from '../placement/seat.ts';
import type { Seat } from '../placement/seat.ts';
import type { Experience } from './experience.ts';
import { describeVerdict } from './find-obstacles.ts';
import type { BackendJudge } from './judge-backend.ts';

export type PlacementExplanation = Omit<Placement, 'workflow'>;

export interface ExplainDeps {
  fleet: Fleet;
  judge: BackendJudge;
  experience: Experience;
  /** As the policy sees them now. */
  seats(): readonly Seat[];
  now: () => number;
}

const words = { here: 'measured', elsewhere: 'estimated', guess: 'guessed' } as const;

/** Each backend's verdict on a job that would come now, before all that waits. */
export function explainPlacement(
  { fleet, judge, experience, seats, now }: ExplainDeps,
  kind: Kind,
): PlacementExplanation {
  const bySeat = new Map(seats().map((seat) => [seat.name, seat]));
  const backends = fleet.backends.map((backend) => explain(backend, bySeat.get(backend.name)));
  const ready = backends.filter(({ verdict }) => verdict === 'free' || verdict === 'busy');
  const finish = ({ expected }: BackendVerdict) => expected?.finishes_in_ms ?? Number.POSITIVE_INFINITY;
  return {
    can_run: backends.some(({ verdict }) => verdict !== 'unable'),
    choice: ready.toSorted((a, b) => finish(a) - finish(b))[0]?.backend ?? null,
    needs: { node_classes: [...kind.needs.nodeClasses], models: [...kind.needs.models] },
    peak_memory_bytes: experience.memory.peak(kind.work) ?? null,
    backends,
  };

  function explain(backend: Backend, seat: Seat | undefined): BackendVerdict {
    const verdict = judge.verdict(kind, backend);
    if (!verdict.able) {
      const lacks = verdict.reason === 'lacks' ? verdict.lacks : [];
      return {
        backend: backend.name,
        verdict: verdict.reason === 'unknown' ? 'away' : 'unable',
        reasons: [describeVerdict(verdict)],
        lacks: lacks.map(({ classType, inputName, value }) => ({
          class_type: classType,
          input: inputName,
          value,
        })),
        expected: null,
      };
    }
    const isReady = seat?.isReady === true;
    return {
      backend: backend.name,
      verdict: !isReady ? 'away' : seat.freeSlots > 0 && seat.freeAt <= now() ? 'free' : 'busy',
      reasons: isReady ? reasonsToWait(backend) : [describeAbsence(backend, now())],
      lacks: [],
      expected: isReady ? expect(backend, seat) : null,
    };
  }

  function expect({ name }: Backend, seat: Seat): BackendVerdict['expected'] {
    const { ms, basis } = experience.costs.run(kind.work, name);
    const loadMs = isWarm(kind, seat.warmModels) ? 0 : experience.costs.loadMs(kind.work, name);
    const startsInMs = Math.max(0, seat.freeAt - now());
    return {
      starts_in_ms: Math.round(startsInMs),
      load_ms: Math.round(loadMs),
      run_ms: Math.round(ms),
      finishes_in_ms: Math.round(startsInMs + loadMs + ms),
      basis: words[basis],
    };
  }
}

/** Backends that a reason names. */
const mostNamed = 5;

/**
 * Why none of the backends that could run it takes work now, in words for people; undefined when one does. Without a kind, of
 * all backends.
 */
export function explainAbsence(
  { fleet, judge, seats, now }: Pick<ExplainDeps, 'fleet' | 'judge' | 'seats' | 'now'>,
  kind: Kind | undefined,
): string | undefined {
  const ready = new Set(seats().flatMap(({ name, isReady }) => (isReady ? [name] : [])));
  const mayRun = (backend: Backend) => {
    const verdict = kind === undefined ? undefined : judge.verdict(kind, backend);
    // One that was never reached may be able.
    return verdict === undefined || verdict.able || verdict.reason === 'unknown';
  };
  // Almost always the first of them can, and nothing else need be looked at.
  if (fleet.backends.some((backend) => ready.has(backend.name) && mayRun(backend))) return undefined;
  const able = fleet.backends.filter(mayRun);
  if (able.length === 0) return 'no ComfyUI of the fleet has what it needs';
  const named = able
    .slice(0, mostNamed)
    .map((backend) => `${backend.name} ${describeAbsence(backend, now())}`);
  const more = able.length - named.length;
  return `no ComfyUI that could run it takes work now: ${named.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}

function reasonsToWait(backend: Backend): string[] {
  const foreign = foreignPrompts(backend);
  return [
    ...(backend.slots.size > 0 ? [`runs ${backend.slots.size} of our jobs`] : []),
    ...(foreign > 0 ? [`its owner has ${foreign} in its queue`] : []),
  ];
}

function describeAbsence(backend: Backend, now: number): string {
  const { state, settings, isLeaving, breaker } = backend;
  if (state.status !== 'ready') return state.status === 'lost' ? 'does not answer' : 'was not reached yet';
  if (isLeaving) return 'is leaving the fleet';
  if (backend.quarantine !== null) return 'is quarantined';
  if (settings.mode !== 'active') return settings.mode === 'paused' ? 'is paused' : 'is draining';
  if (isPausedByOwner(backend)) return describeOwnersPause(backend);
  if (roomAt(backend, now) !== undefined) return 'does not take more prompts for a while';
  return breaker.state === 'open' ? 'failed too often and is given a rest' : 'takes nothing at the moment';
}
