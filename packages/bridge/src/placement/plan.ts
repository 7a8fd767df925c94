import type { Waiting } from './claim.ts';
import type { CostRow } from './cost-table.ts';
import type { Kind } from './kind.ts';
import { isWarm } from './seat.ts';
import type { Seat } from './seat.ts';
import { SeatHeap } from './seat-heap.ts';

/** Which seat each of the next jobs is for, and when. It reads the seats as they are, at the time it was told last. */
export interface Plan {
  /** Tells the time, and which seats are open: one that was done earlier than expected is looked at anew. */
  tick(now: number, open: readonly number[]): void;
  /** Adds a job behind all others: `planned`, or `full` when its best seat has enough, or `nobody` is ready for it. */
  add(job: Waiting): 'planned' | 'full' | 'nobody';
  /** Jobs that are planned and not given to their seats. */
  readonly size: number;
  /** Seats that jobs are planned for. */
  seatsWithJobs(): number[];
  /** Jobs for a seat in the order of the line. */
  jobsOf(seat: number): readonly Waiting[];
  /** When a planned job is expected to start as its seat is now, ms since the epoch. */
  startOf(job: Waiting): number;
  /** The job is given to its seat, which tells from now on what it takes; or nobody wants it any more. */
  drop(job: Waiting): void;
  /** Whether a seat that has planned jobs is done much later than it was when they were planned. */
  hasSlipped(): boolean;
  /** Whether a seat could run any of the kinds that jobs are planned of. */
  couldUse(seat: number): boolean;
}

/** Of two seats that are as good, one that can begin now. */
const busyPenaltyMs = 0.5;
/** Jobs ahead on one seat: by the time it is there, the plan is another one. */
const mostOnSeat = 32;
/** A seat that is later than planned by less than this changes nothing. */
const slackMs = 500;
const none: readonly Waiting[] = [];

/**
 * Each job, in the order of the line, goes to the seat that is expected to finish it first, counting what the jobs before
 * it will take there and whether its models will be in memory. So a job may be meant for a fast machine that is still busy
 * while a slow one is idle; and the slow one gets the job that would otherwise finish later still. Pure.
 */
export function createPlan(seats: readonly Seat[], rowOf: (kind: Kind) => CostRow): Plan {
  let now = 0;
  /** What the planned jobs will take on each seat, ms. */
  const ahead = new Float64Array(seats.length);
  /** When each seat was to be done with what it has, as the heaps know it. */
  const knownEnds = new Float64Array(seats.length).fill(Number.NEGATIVE_INFINITY);
  /** When each seat was to be done as the plan was made. */
  const plannedEnds = Float64Array.from(seats, ({ freeAt }) => freeAt);
  let size = 0;
  const occupied = new Set<number>();
  /** Planned jobs of each kind. */
  const counts = new Map<Kind, number>();
  const lists: (Waiting[] | undefined)[] = [];
  /** Models that earlier jobs of the plan bring to a seat. */
  const brought: (Set<string> | undefined)[] = [];
  const heaps = new Map<Kind, { heap: SeatHeap; row: CostRow }>();

  function endOf(index: number): number {
    const seat = seats[index];
    const end = seat === undefined || seat.freeAt < now ? now : seat.freeAt;
    return end + (ahead[index] ?? 0);
  }

  function costOn(kind: Kind, row: CostRow, index: number): number {
    const runMs = row.runMs[index] ?? Number.NaN;
    return needsLoad(kind, index) ? runMs + (row.loadMs[index] ?? 0) : runMs;
  }

  function needsLoad(kind: Kind, index: number): boolean {
    if (kind.work.models.length === 0) return false;
    const planned = brought[index];
    if (planned !== undefined && isWarm(kind, planned)) return false;
    const seat = seats[index];
    return seat === undefined || !isWarm(kind, seat.warmModels);
  }

  /** What seats are compared by: when it would be done there. */
  function keyOn(kind: Kind, row: CostRow, index: number): number {
    const penalty = (seats[index]?.freeSlots ?? 0) > 0 ? 0 : busyPenaltyMs;
    const end = endOf(index);
    if (end > (knownEnds[index] ?? 0)) knownEnds[index] = end;
    return end + costOn(kind, row, index) * (row.bias[index] ?? 1) + penalty;
  }

  function heapOf(kind: Kind): { heap: SeatHeap; row: CostRow } {
    const known = heaps.get(kind);
    if (known !== undefined) return known;
    const row = rowOf(kind);
    const ready = row.able.filter((index) => seats[index]?.isReady === true);
    const heap = new SeatHeap(ready, (index) => keyOn(kind, row, index));
    const made = { heap, row };
    heaps.set(kind, made);
    return made;
  }

  /** For a job that may not go everywhere: the few that lost an attempt. */
  function bestAllowed({ kind, excluded }: Waiting): number | undefined {
    const row = rowOf(kind);
    let best: number | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const index of row.able) {
      const seat = seats[index];
      if (seat?.isReady !== true || excluded.includes(seat.name)) continue;
      const key = keyOn(kind, row, index);
      if (key < least) [best, least] = [index, key];
    }
    return best;
  }

  const plan: Plan = {
    tick(time, open) {
      now = time;
      for (const index of open) {
        const end = endOf(index);
        if (end >= (knownEnds[index] ?? 0)) continue;
        for (const { heap, row } of heaps.values()) if (!Number.isNaN(row.runMs[index])) heap.push(index);
        knownEnds[index] = end;
      }
    },
    add(job) {
      const { kind } = job;
      const { heap, row } = heapOf(kind);
      const allowed = job.excluded.length > 0 ? bestAllowed(job) : undefined;
      const index = allowed ?? heap.best();
      if (index === undefined) return 'nobody';
      const list = (lists[index] ??= []);
      if (list.length >= mostOnSeat) return 'full';
      const startAt = endOf(index);
      const costMs = costOn(kind, row, index);
      if (!Number.isFinite(costMs)) return 'nobody';
      ahead[index] = (ahead[index] ?? 0) + costMs;
      knownEnds[index] = startAt + costMs;
      job.planned = { by: plan, seat: index, startAt, finishAt: startAt + costMs };
      list.push(job);
      occupied.add(index);
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      size += 1;
      if (kind.work.models.length > 0) {
        const models = (brought[index] ??= new Set());
        for (const model of kind.work.models) models.add(model);
      }
      return 'planned';
    },
    startOf({ id, planned }) {
      const index = planned?.seat ?? -1;
      let start = endOf(index) - (ahead[index] ?? 0);
      for (const { id: other, planned: slot } of lists[index] ?? none) {
        if (other === id || slot === undefined) break;
        start += slot.finishAt - slot.startAt;
      }
      return start;
    },
    seatsWithJobs: () => [...occupied],
    get size() {
      return size;
    },
    jobsOf: (seat) => lists[seat] ?? none,
    drop(job) {
      const { planned, kind } = job;
      const list = planned === undefined ? undefined : lists[planned.seat];
      const at = list?.indexOf(job) ?? -1;
      if (planned?.by !== plan || list === undefined || at < 0) return;
      list.splice(at, 1);
      counts.set(kind, (counts.get(kind) ?? 1) - 1);
      size -= 1;
      const left = (ahead[planned.seat] ?? 0) - (planned.finishAt - planned.startAt);
      ahead[planned.seat] = list.length === 0 ? 0 : Math.max(0, left);
      if (list.length > 0) return;
      brought[planned.seat] = undefined;
      occupied.delete(planned.seat);
    },
    hasSlipped() {
      for (const [index, list] of lists.entries()) {
        if (list === undefined || list.length === 0) continue;
        if ((seats[index]?.freeAt ?? 0) > Math.max(now, plannedEnds[index] ?? 0) + slackMs) return true;
      }
      return false;
    },
    couldUse(index) {
      for (const [kind, { row }] of heaps) {
        if ((counts.get(kind) ?? 0) > 0 && !Number.isNaN(row.runMs[index])) return true;
      }
      return false;
    },
  };
  return plan;
}
