import { aClaim, judgeBy } from './_claims.ts';
import type { Costs, MutableSeat } from './_claims.ts';
import type { Claim } from './claim.ts';
import type { Kind } from './kind.ts';
import { createPlacementPolicy } from './placement-policy.ts';
import type { Forecast, PlacementPolicy } from './placement-policy.ts';
import { isWarm } from './seat.ts';

export interface Started {
  id: string;
  seat: string;
  at: number;
  /** Its models had to be loaded. */
  isCold: boolean;
}

/** A fleet in virtual time that does what the policy says. */
export interface World {
  readonly policy: PlacementPolicy;
  readonly seats: readonly MutableSeat[];
  /** Everything that was started, in that order. */
  readonly started: readonly Started[];
  now(): number;
  seat(name: string): MutableSeat;
  add(...claims: readonly Claim[]): void;
  /** Starts what the policy would start now: `['job on seat']`. */
  decide(): string[];
  forecast(id: string): Forecast | undefined;
  /** Says that who is there, or who can run what, has changed. */
  changeEpoch(): void;
  /** Time goes on to the next end of a run, or by as much as it takes to think again; false when nothing can happen. */
  advance(): boolean;
  /** Until nothing runs and nothing more is started. */
  runAll(): void;
}

export interface WorldOptions {
  seats: readonly MutableSeat[];
  costs?: Costs;
  classify?: (claim: Pick<Claim, 'id' | 'kind'>) => Kind;
  /** What a run takes, if not what is expected. */
  takes?: (expectedMs: number) => number;
}

/** How long the scheduler waits before it asks again. */
const reconsiderMs = 250;

export function createWorld({ seats, costs = {}, classify, takes = (ms) => ms }: WorldOptions): World {
  const judge = judgeBy(costs);
  const started: Started[] = [];
  let running: { seat: MutableSeat; endAt: number }[] = [];
  let [now, epoch, version] = [0, 1, 0];
  const policy = createPlacementPolicy({
    judge,
    classify: classify ?? (({ kind }) => kind),
    epoch: () => epoch,
    costsVersion: () => version,
  });

  function seatNamed(name: string): MutableSeat {
    const seat = seats.find((candidate) => candidate.name === name);
    if (seat === undefined) throw new Error(`there is no seat ${name}`);
    return seat;
  }

  function start(id: string, seat: MutableSeat, kind: Kind): void {
    const cost = judge(kind, seat);
    if (cost === undefined) throw new Error(`${id} cannot run on ${seat.name}`);
    if (!seat.isReady || seat.freeSlots < 1) throw new Error(`${seat.name} has no room for ${id}`);
    const isCold = !isWarm(kind, seat.warmModels);
    const expectedMs = cost.runMs + (isCold ? cost.loadMs : 0);
    const begins = running.reduce((end, run) => (run.seat === seat ? Math.max(end, run.endAt) : end), now);
    running.push({ seat, endAt: begins + takes(expectedMs) });
    seat.freeSlots -= 1;
    seat.freeAt = Math.max(now, seat.freeAt) + expectedMs;
    if (kind.work.models.length > 0) seat.warmModels = new Set(kind.work.models);
    started.push({ id, seat: seat.name, at: now, isCold });
  }

  function decide(): string[] {
    const before = started.length;
    for (const { id, seat: index, kind } of policy.decide(seats, now)) {
      const seat = seats[index];
      if (seat === undefined) throw new Error(`there is no seat ${index}`);
      start(id, seat, kind);
    }
    return started.slice(before).map(({ id, seat }) => `${id} on ${seat}`);
  }

  function advance(): boolean {
    const next = Math.min(
      ...running.map(({ endAt }) => endAt),
      policy.isPatient ? now + reconsiderMs : Number.POSITIVE_INFINITY,
    );
    if (next === Number.POSITIVE_INFINITY) return false;
    now = Math.max(now, next);
    for (const { seat, endAt } of running) {
      if (endAt > now) continue;
      version += 1;
      seat.freeSlots += 1;
      if (!running.some((other) => other.seat === seat && other.endAt > now)) seat.freeAt = 0;
    }
    running = running.filter(({ endAt }) => endAt > now);
    return true;
  }

  return {
    policy,
    seats,
    started,
    now: () => now,
    seat: seatNamed,
    add: (...claims) => claims.forEach((claim) => policy.add(claim)),
    decide,
    forecast: (id) => policy.forecast(id, seats, now),
    changeEpoch() {
      epoch += 1;
    },
    advance,
    runAll() {
      let idleTurns = 0;
      decide();
      while (idleTurns < 20 && advance()) {
        if (decide().length > 0 || running.length > 0) idleTurns = 0;
        else idleTurns += 1;
      }
    },
  };
}

/** Jobs of one owner, called by the owner's name and a number. */
export function jobsOf(owner: string, count: number, fields: Partial<Claim> = {}): Claim[] {
  return Array.from({ length: count }, (_, index) => aClaim(`${owner}${index + 1}`, { owner, ...fields }));
}
