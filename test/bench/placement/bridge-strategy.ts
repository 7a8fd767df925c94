import { parseJobId } from '../../../packages/bridge/src/jobs/job.ts';
import { createCostModel } from '../../../packages/bridge/src/placement/cost-model.ts';
import type { CostModel } from '../../../packages/bridge/src/placement/cost-model.ts';
import { createKinds } from '../../../packages/bridge/src/placement/kind.ts';
import type { Kind } from '../../../packages/bridge/src/placement/kind.ts';
import { createPlacementPolicy } from '../../../packages/bridge/src/placement/placement-policy.ts';
import { isWarm } from '../../../packages/bridge/src/placement/seat.ts';
import type { Judge, Seat, SeatCost } from '../../../packages/bridge/src/placement/seat.ts';
import { findSteals } from '../../../packages/bridge/src/scheduling/find-steals.ts';
import type { Prefetched } from '../../../packages/bridge/src/scheduling/find-steals.ts';
import type { FinishedRun, Strategy } from './simulate.ts';
import type { SimJob, World } from './world.ts';

export interface BridgeOptions {
  /** Prompts that a backend is given at a time, as `BACKEND_SLOTS`. */
  slots?: number;
  /** What an earlier run has learned, as the bridge keeps it in its store. */
  learned?: ReadonlyMap<string, string>;
}

export interface BridgeStrategy extends Strategy {
  learned(): ReadonlyMap<string, string>;
}

/** A prompt of ours on a backend, as the bridge keeps it. */
interface Slot {
  job: SimJob;
  kind: Kind;
  backend: number;
  expectedMs: number;
  isCold: boolean;
  executingSince: number | undefined;
}

type MutableSeat = { -readonly [K in keyof Seat]: Seat[K] };

interface Place {
  seat: MutableSeat;
  slots: Slot[];
  /** What the last run has left in its memory. */
  loaded: ReadonlySet<string>;
}

/** Whoever looks for jobs to take back sees backends only as something to tell apart. */
type Idle = Parameters<typeof findSteals>[1][number];

function asBackend(place: Place): Idle {
  return place as unknown as Idle;
}

/** How long the bridge waits before it thinks over why a machine stays idle. */
const reconsiderMs = 250;
const nothing: ReadonlySet<string> = new Set();

/** The bridge's own policy and cost model, which know nothing of the fleet but what they see of it. */
export function createBridgeStrategy(
  world: World,
  { slots = 2, learned }: BridgeOptions = {},
): BridgeStrategy {
  const costs = createCostModel();
  if (learned !== undefined) costs.restore(learned);
  const kindOf = createClassifier(world);
  const running = new Map<string, Slot>();
  const places = world.backends.map(({ name }): Place => ({
    seat: { name, isReady: true, freeSlots: slots, freeAt: 0, warmModels: nothing, weight: 1 },
    slots: [],
    loaded: nothing,
  }));
  const seats = places.map(({ seat }) => seat);
  const judge = createJudge(world, costs);
  const policy = createPlacementPolicy({
    judge,
    classify: ({ kind }) => kind,
    epoch: () => 0,
    costsVersion: () => costs.version,
  });
  const jobs = new Map<string, SimJob>();

  function claim(job: SimJob, excluded: readonly string[]): void {
    jobs.set(job.id, job);
    policy.add({ id: job.id, owner: job.owner, priority: 0, createdAt: job.at, kind: kindOf(job), excluded });
  }

  function refresh(now: number): void {
    for (const place of places) {
      place.seat.freeSlots = slots - place.slots.length;
      place.seat.freeAt = place.slots.length === 0 ? 0 : endOf(place, now);
    }
  }

  function put(id: string, { seat: index, kind }: { seat: number; kind: Kind }): SimJob[] {
    const job = jobs.get(id);
    const place = places[index];
    if (job === undefined || place === undefined) return [];
    const isCold = !isWarm(kind, place.seat.warmModels);
    const { name } = place.seat;
    const expectedMs = costs.run(kind.work, name).ms + (isCold ? costs.loadMs(kind.work, name) : 0);
    const slot = { job, kind, backend: index, expectedMs, isCold, executingSince: undefined };
    place.slots.push(slot);
    place.seat.warmModels = modelsAtEnd(place);
    running.set(id, slot);
    return [job];
  }

  /** With nothing left to place, idle backends take over what waits behind a slow one. */
  function takeBack(now: number): SimJob[] {
    if (policy.size > 0) return [];
    const idle = places.filter((place) => place.slots.length === 0);
    if (idle.length === 0) return [];
    const byToken = new Map(idle.map((place) => [asBackend(place), place]));
    const waiting = [...running.values()].flatMap(({ job, kind, backend, executingSince }): Prefetched[] => {
      if (executingSince !== undefined) return [];
      const { name = '', freeAt = 0 } = seats[backend] ?? {};
      const id = parseJobId(job.id);
      return [{ id, backend: name, finishAt: freeAt, costOn: (idle) => costOn(kind, byToken.get(idle)) }];
    });
    return findSteals(waiting, [...byToken.keys()], now).flatMap(({ id }) => jobs.get(id) ?? []);
  }

  function costOn(kind: Kind, place: Place | undefined): SeatCost | undefined {
    const cost = place === undefined ? undefined : judge(kind, place.seat);
    if (cost === undefined || place === undefined) return undefined;
    return isWarm(kind, place.loaded) ? { ...cost, loadMs: 0 } : cost;
  }

  function remove({ id }: SimJob): Slot | undefined {
    const slot = running.get(id);
    const place = places[slot?.backend ?? -1];
    if (slot === undefined || place === undefined) return undefined;
    running.delete(id);
    place.slots = place.slots.filter((other) => other !== slot);
    place.seat.warmModels = modelsAtEnd(place);
    return slot;
  }

  return {
    arrive: (job) => claim(job, []),
    decide(now) {
      refresh(now);
      const back = takeBack(now);
      for (const job of back) {
        const slot = remove(job);
        if (slot !== undefined) claim(job, [seats[slot.backend]?.name ?? '']);
      }
      if (back.length > 0) refresh(now);
      const place = policy
        .decide(seats, now)
        .flatMap((placement) =>
          put(placement.id, placement).map((job) => ({ job, backend: placement.seat })),
        );
      return { takeBack: back, place };
    },
    began({ id }, _backend, now) {
      const slot = running.get(id);
      if (slot !== undefined) slot.executingSince = now;
    },
    finished({ job, backend, ms }: FinishedRun) {
      const slot = remove(job);
      const place = places[backend.index];
      if (slot === undefined || place === undefined) return;
      place.loaded = new Set(slot.kind.work.models);
      place.seat.warmModels = modelsAtEnd(place);
      costs.record({ work: slot.kind.work, backend: backend.name, ms, isCold: slot.isCold });
      policy.learned(slot.kind, backend.index);
      policy.forget(job.id);
      jobs.delete(job.id);
    },
    wakeAfter: () => (policy.isPatient ? reconsiderMs : undefined),
    learned: () => costs.takeChanges(),
  };
}

function createClassifier({ workflows }: World): (job: SimJob) => Kind {
  const kinds = createKinds();
  const known = workflows.map(({ name, index, model }) =>
    kinds.intern(name, 0, { key: String(index), nodeClasses: [], choices: [], models: [model] }),
  );
  return ({ workflow: { index } }) => {
    const kind = known[index];
    if (kind === undefined) throw new Error('a job of an unknown workflow');
    return kind;
  };
}

function createJudge({ backends }: World, costs: CostModel): Judge {
  const byName = new Map(backends.map((backend) => [backend.name, backend]));
  return ({ work, needs }: Kind, { name }: Seat) => {
    if (byName.get(name)?.workflows.has(Number(needs.key)) !== true) return undefined;
    const { ms, basis } = costs.run(work, name);
    return { runMs: ms, loadMs: costs.loadMs(work, name), isProven: basis === 'here' };
  };
}

/** As the bridge reckons it: one that takes longer than expected is likely to take as much longer again. */
function endOf({ slots }: Place, now: number): number {
  let end = now;
  for (const { executingSince, expectedMs } of slots)
    end += Math.abs(expectedMs - (executingSince === undefined ? 0 : now - executingSince));
  return end;
}

function modelsAtEnd({ slots, loaded }: Place): ReadonlySet<string> {
  const last = slots.at(-1);
  return last === undefined ? loaded : new Set(last.kind.work.models);
}
