import type { Claim, Waiting } from './claim.ts';
import type { CostTable } from './cost-table.ts';
import type { FairLine } from './fair-line.ts';
import type { Kind } from './kind.ts';
import { createPlan } from './plan.ts';
import type { Plan } from './plan.ts';
import type { Seat } from './seat.ts';

/** Jobs planned ahead: so many for each seat, and at least so many in all. */
const horizonPerSeat = 8;
const leastHorizon = 16;
/** The line is looked through only so far. */
const mostScanned = 1_000_000;
const none: readonly never[] = [];

/** A plan, and what tells whether it is still good. */
export interface CurrentPlan {
  plan: Plan;
  seats: readonly Seat[];
  epoch: number;
  madeAt: number;
  /** Jobs placed since. */
  decisions: number;
  /** The place of the last job in it. */
  lastOrder: number;
  /** When the last of its jobs is expected to start, ms since the epoch. */
  lastStartAt: number;
  planned: number;
}

export interface Planner {
  /** Plans what is next in the line; for `open` seats that stay idle also what is far behind. */
  make(seats: readonly Seat[], now: number, open: readonly number[]): CurrentPlan;
  /** Adds one that came since, behind all others. */
  addTo(made: CurrentPlan, waiting: Waiting): ReturnType<Plan['add']>;
}

export interface PlannerDeps {
  line: FairLine;
  table: CostTable;
  classify(claim: Pick<Claim, 'id' | 'kind'>): Kind;
  epoch(): number;
}

export function createPlanner({ line, table, classify, epoch }: PlannerDeps): Planner {
  function make(seats: readonly Seat[], now: number, open: readonly number[]): CurrentPlan {
    const plan = createPlan(seats, (kind) => table.row(kind, seats));
    plan.tick(now, none);
    const horizon = Math.max(leastHorizon, seats.length * horizonPerSeat);
    const made: CurrentPlan = {
      plan,
      seats,
      epoch: epoch(),
      madeAt: now,
      decisions: 0,
      lastOrder: Number.NEGATIVE_INFINITY,
      lastStartAt: now,
      planned: 0,
    };
    /** Kinds of which no more are planned, and why. */
    const done = new Map<Kind, 'full' | 'nobody'>();
    let idle = open;
    let scanned = 0;
    for (const waiting of line) {
      if ((scanned += 1) > mostScanned) break;
      const isBeyond = made.planned >= horizon;
      // Nothing that comes could change anything.
      if (done.size >= line.kinds || (isBeyond && idle.length === 0)) break;
      refreshKind(waiting, made);
      const { kind } = waiting;
      const why = done.get(kind);
      if (why !== undefined) {
        waiting.planned = undefined;
        line.setStuck(waiting, why === 'nobody');
        continue;
      }
      const row = table.row(kind, seats);
      const isUseful = !isBeyond || idle.some((index) => !Number.isNaN(row.runMs[index]));
      const outcome = isUseful ? addTo(made, waiting) : 'full';
      if (outcome !== 'planned') done.set(kind, outcome);
      else if (made.planned >= horizon) idle = idle.filter((index) => plan.jobsOf(index).length === 0);
    }
    return made;
  }

  function refreshKind(waiting: Waiting, { epoch }: CurrentPlan): void {
    if (waiting.epoch === epoch) return;
    line.setKind(waiting, classify(waiting));
    waiting.epoch = epoch;
  }

  function addTo(made: CurrentPlan, waiting: Waiting): ReturnType<Plan['add']> {
    waiting.planned = undefined;
    refreshKind(waiting, made);
    const outcome = made.plan.add(waiting);
    line.setStuck(waiting, outcome === 'nobody');
    if (outcome !== 'planned') return outcome;
    made.planned += 1;
    made.lastOrder = Math.max(made.lastOrder, waiting.order);
    made.lastStartAt = Math.max(made.lastStartAt, made.plan.startOf(waiting));
    return outcome;
  }

  return { make, addTo };
}
