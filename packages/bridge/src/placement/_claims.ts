import type { Claim, Waiting } from './claim.ts';
import type { CostRow } from './cost-table.ts';
import type { Kind } from './kind.ts';
import type { Seat, SeatCost } from './seat.ts';

/** Costs by the workflow of a kind, then by seat; a seat that is not named cannot run it. */
export type Costs = Record<string, Record<string, Partial<SeatCost>>>;

export type MutableSeat = { -readonly [K in keyof Seat]: Seat[K] };

export function aKind(workflow: string, { models = [] }: { models?: readonly string[] } = {}): Kind {
  return {
    work: { workflow, sizeClass: 20, models },
    needs: { key: workflow, nodeClasses: [], choices: [], models },
  };
}

export const plainKind = aKind('plain');

export function aClaim(id: string, fields: Partial<Claim> = {}): Claim {
  return { id, owner: 'ann', priority: 0, createdAt: 0, kind: plainKind, excluded: [], ...fields };
}

export function aWaiting(id: string, fields: Partial<Waiting> = {}): Waiting {
  return {
    ...aClaim(id),
    epoch: -1,
    order: 0,
    start: 0,
    arrivedAt: 0,
    seq: 0,
    nominalMs: 1_000,
    isFirst: false,
    passedOverMs: 0,
    passedOver: 0,
    planned: undefined,
    isPaid: false,
    isStuck: false,
    isGone: false,
    ...fields,
  };
}

/** Ready, idle and empty. */
export function aSeat(name: string, fields: Partial<MutableSeat> = {}): MutableSeat {
  return { name, isReady: true, freeSlots: 1, freeAt: 0, warmModels: new Set(), weight: 1, ...fields };
}

export function busySeat(name: string, freeAt: number, fields: Partial<MutableSeat> = {}): MutableSeat {
  return aSeat(name, { freeSlots: 0, freeAt, ...fields });
}

/** Reads a table of costs as the judge of the policy; `plain` takes a second on every seat that no table tells of. */
export function judgeBy(costs: Costs): (kind: Kind, seat: { name: string }) => SeatCost | undefined {
  return ({ work }, { name }) => {
    const cost =
      work.workflow === 'plain' && costs['plain'] === undefined ? {} : costs[work.workflow]?.[name];
    return cost === undefined ? undefined : { runMs: 1_000, loadMs: 0, isProven: true, ...cost };
  };
}

/** A row for as many seats as there are costs; undefined for one that cannot run it. */
export function aRow(
  costs: readonly ({ runMs?: number; loadMs?: number; bias?: number } | undefined)[],
): CostRow {
  return {
    runMs: Float64Array.from(costs, (cost) => (cost === undefined ? Number.NaN : (cost.runMs ?? 1_000))),
    loadMs: Float64Array.from(costs, (cost) => cost?.loadMs ?? 0),
    bias: Float64Array.from(costs, (cost) => cost?.bias ?? 1),
    able: costs.flatMap((cost, index) => (cost === undefined ? [] : [index])),
  };
}
