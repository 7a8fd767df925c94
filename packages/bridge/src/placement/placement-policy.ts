import { chooseNext } from './choose-next.ts';
import type { Claim, Waiting } from './claim.ts';
import { createCostTable } from './cost-table.ts';
import { createFairLine } from './fair-line.ts';
import { createPlanner } from './make-plan.ts';
import type { CurrentPlan } from './make-plan.ts';
import type { Kind } from './kind.ts';
import type { Judge, Seat } from './seat.ts';

/** One job for one seat, now. */
export interface Placement {
  id: string;
  /** Index into the seats. */
  seat: number;
  kind: Kind;
}

export interface PolicyDeps {
  judge: Judge;
  /** The kind of a job as the fleet is now. */
  classify(claim: Pick<Claim, 'id' | 'kind'>): Kind;
  /** Changes whenever the answers of `judge` may change in kind: who is there, who can run what. */
  epoch(): number;
  /** Grows with everything that was learned about costs. */
  costsVersion(): number;
}

/** Which waiting job goes where, and when: a state machine without a clock and without I/O. */
export interface PlacementPolicy {
  readonly size: number;
  add(claim: Claim): void;
  /** Moves a waiting job to where it would be had it come with that priority. */
  reprioritize(id: string, priority: number): void;
  /** It ended, or was given up. */
  forget(id: string): void;
  /** A run of this kind on this seat was learned from. */
  learned(kind: Kind, seat: number): void;
  positionOf(id: string): number | undefined;
  get(id: string): Claim | undefined;
  /** What to start now. The jobs are out of the line; the caller gives the seats their new ends before the next call. */
  decide(seats: readonly Seat[], now: number): readonly Placement[];
  /** When a waiting job is expected to start and to end, ms since the epoch; undefined where it cannot be told. */
  forecast(id: string, seats: readonly Seat[], now: number): Forecast | undefined;
  /** True when, in the last decision, a seat stayed idle that a waiting job could have used: time may change that. */
  readonly isPatient: boolean;
}

export interface Forecast {
  /** Null beyond the horizon of the plan. */
  seat: string | null;
  startAt: number;
  finishAt: number;
}

/** More that came since is not added to a plan: the next one takes them all from the line. */
const mostUnplanned = 10_000;
/** A plan of so many jobs is followed for one decision. */
const jobsPerDecision = 16;
/** When a seat is idle although jobs wait, the plan is thought over after this. */
const reconsiderMs = 200;
/** … and a large plan, which costs more to make, after so much for each of its jobs and seats. */
const reconsiderMsEach = 1;
/** What a job is taken to cost that nobody can run, as far as is known. */
const guessedMs = 5_000;
const none: readonly never[] = [];

export function createPlacementPolicy({ judge, classify, epoch, costsVersion }: PolicyDeps): PlacementPolicy {
  const line = createFairLine();
  const table = createCostTable(judge, { epoch, costs: costsVersion });
  const planner = createPlanner({ line, table, classify, epoch });
  /** Came after the plan was made. */
  const unplanned = new Set<Waiting>();
  let isPatient = false;
  let current: CurrentPlan | undefined;

  function makePlan(seats: readonly Seat[], now: number, open: readonly number[]): CurrentPlan {
    unplanned.clear();
    return planner.make(seats, now, open);
  }

  function isStale(made: CurrentPlan, seats: readonly Seat[]): boolean {
    if (made.epoch !== epoch() || made.seats !== seats) return true;
    if (made.decisions > Math.max(made.planned / jobsPerDecision, seats.length / 4)) return true;
    // Somebody came who is due before others that are planned: on a small fleet that is put right at once.
    const isOvertaken = unplanned.values().some(({ order }) => order < made.lastOrder);
    return (
      isOvertaken && made.decisions >= Math.floor(Math.min(made.planned / jobsPerDecision, seats.length / 4))
    );
  }

  /** A machine has nothing to do although jobs wait for others: one was done early, or another one is late. */
  function isWorthReconsidering(
    { plan, seats, madeAt, planned }: CurrentPlan,
    open: readonly number[],
    now: number,
  ): boolean {
    if (now - madeAt < Math.max(reconsiderMs, (planned + seats.length) * reconsiderMsEach)) return false;
    const unused = open.filter((index) => plan.jobsOf(index).length === 0);
    if (unused.length === 0) return false;
    const isIdle = (index: number) => (seats[index]?.freeAt ?? 0) <= now;
    return unused.some((index) => isIdle(index) && plan.couldUse(index)) || plan.hasSlipped();
  }

  function upToDate(seats: readonly Seat[], now: number, open: readonly number[]): CurrentPlan {
    if (current === undefined || isStale(current, seats)) current = makePlan(seats, now, open);
    else {
      current.plan.tick(now, open);
      for (const waiting of unplanned) if (!waiting.isGone) planner.addTo(current, waiting);
      unplanned.clear();
    }
    return current;
  }

  /** An estimate for the fairness of the line only: what it costs where it is cheapest would favour nobody either. */
  function nominalCost(kind: Kind, seats: readonly Seat[]): number {
    const row = table.row(kind, seats);
    const first = row.able[0];
    if (first !== undefined) return row.runMs[first] ?? guessedMs;
    guessed = { epoch: epoch(), seats };
    return guessedMs;
  }

  /** When something was counted by a guess. */
  let guessed: { epoch: number; seats: readonly Seat[] } | undefined;
  let lastSeats: readonly Seat[] = [];

  function see(seats: readonly Seat[]): void {
    lastSeats = seats;
    if (guessed === undefined || (guessed.epoch === epoch() && guessed.seats === seats)) return;
    // What came before anybody could run it was counted by a guess.
    guessed = undefined;
    line.revalue(({ kind }) => nominalCost(kind, seats));
  }

  /** True when it can be given no more. */
  function placeOn(index: number, made: CurrentPlan, placements: Placement[]): boolean {
    const { plan, seats } = made;
    const seat = seats[index];
    if (seat?.isReady !== true) return true;
    let { warmModels, freeSlots } = seat;
    for (; freeSlots > 0; freeSlots -= 1) {
      const next = chooseNext(plan.jobsOf(index), warmModels, {
        index,
        rowOf: (kind) => table.row(kind, seats),
      });
      if (next === undefined) break;
      plan.drop(next);
      line.take(next);
      made.decisions += 1;
      const { id, kind } = next;
      if (kind.work.models.length > 0) warmModels = new Set(kind.work.models);
      placements.push({ id, seat: index, kind });
    }
    return freeSlots === 0;
  }

  return {
    get size() {
      return line.size;
    },
    add(claim) {
      unplanned.add(line.add(claim, nominalCost(claim.kind, lastSeats)));
      // Nobody asked for a decision for long: the next plan takes them all from the line.
      if (unplanned.size > mostUnplanned) {
        unplanned.clear();
        current = undefined;
      }
    },
    reprioritize(id, priority) {
      const moved = line.reprioritize(id, priority);
      if (moved === undefined) return;
      current?.plan.drop(moved);
      moved.planned = undefined;
      unplanned.add(moved);
    },
    forget(id) {
      const waiting = line.forget(id);
      if (waiting !== undefined) current?.plan.drop(waiting);
    },
    learned: (kind, seat) => table.renew(kind, lastSeats, seat),
    positionOf: (id) => line.positionOf(id),
    get: (id) => line.get(id),
    get isPatient() {
      return isPatient;
    },
    decide(seats, now) {
      see(seats);
      isPatient = false;
      if (line.size === 0) return none;
      const open = findOpen(seats);
      if (open.length === 0) return none;
      line.setWidth(seats.length);
      let made = upToDate(seats, now, open);
      if (isWorthReconsidering(made, open, now)) made = current = makePlan(seats, now, open);
      const placements: Placement[] = [];
      const full = new Set<number>();
      for (const index of made.plan.seatsWithJobs()) if (placeOn(index, made, placements)) full.add(index);
      // What is still planned waits for others: is there an idle one that could do it?
      isPatient = made.plan.size > 0 && open.some((index) => !full.has(index) && made.plan.couldUse(index));
      return placements;
    },
    forecast(id, seats, now) {
      const waiting = line.get(id);
      if (waiting === undefined) return undefined;
      see(seats);
      const made = upToDate(seats, now, findOpen(seats));
      if (waiting.planned?.by === made.plan) {
        const { seat, startAt, finishAt } = waiting.planned;
        const start = made.plan.startOf(waiting);
        return { seat: seats[seat]?.name ?? null, startAt: start, finishAt: start + finishAt - startAt };
      }
      const row = table.row(waiting.kind, seats);
      if (!row.able.some((index) => seats[index]?.isReady === true)) return undefined;
      // Behind the horizon the line is taken to move on as fast as within it.
      const ready = seats.filter(({ isReady }) => isReady).length;
      const stepMs = (made.lastStartAt - made.madeAt) / Math.max(1, made.planned - ready);
      const behind = Math.max(0, (line.positionOf(id) ?? 0) - made.planned);
      const startAt = Math.max(now, made.lastStartAt + behind * stepMs);
      return { seat: null, startAt, finishAt: startAt + nominalCost(waiting.kind, seats) };
    },
  };
}

function findOpen(seats: readonly Seat[]): number[] {
  const open: number[] = [];
  for (let index = 0; index < seats.length; index += 1) {
    const seat = seats[index];
    if (seat !== undefined && seat.freeSlots > 0 && seat.isReady) open.push(index);
  }
  return open;
}
