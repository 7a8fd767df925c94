import type { Kind } from './kind.ts';
import type { Judge, Seat, SeatCost } from './seat.ts';

/** What one kind costs on every seat, by the seat's index. */
export interface CostRow {
  /** NaN where it cannot run. */
  readonly runMs: Float64Array;
  readonly loadMs: Float64Array;
  /** What the cost is multiplied with to compare seats: their weight, and a little for curiosity. */
  readonly bias: Float64Array;
  /** Indexes of the seats that can run it. */
  readonly able: readonly number[];
}

export interface CostTable {
  row(kind: Kind, seats: readonly Seat[]): CostRow;
  /** This pair has just been learned about. */
  renew(kind: Kind, seats: readonly Seat[], index: number): void;
}

/** How much better an untried seat is taken to be. */
const curiosity = 0.9;
const maxRows = 2_000;

interface KnownRow extends CostRow {
  epoch: number;
  seats: number;
  /** The version of the costs from which on it is made anew. */
  until: number;
}

/**
 * Keeps what was judged: asking the cost model for a thousand seats at every decision would be most of its price. A row is
 * made anew when `epoch` changes (who is there, and who can run what), and, since every run tells a little of all others,
 * after about as many runs as there are seats; sooner while little is known.
 */
export function createCostTable(judge: Judge, versions: { epoch(): number; costs(): number }): CostTable {
  const rows = new Map<Kind, KnownRow>();

  function build(kind: Kind, seats: readonly Seat[]): CostRow {
    const runMs = new Float64Array(seats.length).fill(Number.NaN);
    const loadMs = new Float64Array(seats.length);
    const bias = new Float64Array(seats.length);
    const able: number[] = [];
    const row = { runMs, loadMs, bias, able };
    for (const [index, seat] of seats.entries()) {
      const cost = judge(kind, seat);
      if (cost === undefined) continue;
      able.push(index);
      write(row, index, seat, cost);
    }
    return row;
  }

  function write(row: CostRow, index: number, seat: Seat, { runMs, loadMs, isProven }: SeatCost): void {
    row.runMs[index] = runMs;
    row.loadMs[index] = loadMs;
    row.bias[index] = (isProven ? 1 : curiosity) / seat.weight;
  }

  return {
    row(kind, seats) {
      const epoch = versions.epoch();
      const costs = versions.costs();
      const known = rows.get(kind);
      if (known?.epoch === epoch && known.seats === seats.length && costs < known.until) return known;
      if (rows.size >= maxRows) rows.clear();
      const most = seats.length;
      const until = costs + Math.max(1, Math.min(most, Math.max(costs / 4, most / 16)));
      const row = { ...build(kind, seats), epoch, seats: seats.length, until };
      rows.set(kind, row);
      return row;
    },
    renew(kind, seats, index) {
      const row = rows.get(kind);
      const seat = seats[index];
      if (row === undefined || seat === undefined || row.seats !== seats.length) return;
      const cost = judge(kind, seat);
      if (cost !== undefined && !Number.isNaN(row.runMs[index])) write(row, index, seat, cost);
    },
  };
}
