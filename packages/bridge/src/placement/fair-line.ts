import type { Claim, Waiting } from './claim.ts';
import type { Kind } from './kind.ts';
import { SortedLine } from './sorted-line.ts';

/** One step of priority, in ms of waiting. */
const priorityStepMs = 5 * 60_000;
/** Beyond this nobody's share is counted: an estimate that is absurd must not drown all others. */
const mostNominalMs = 24 * 60 * 60_000;
/** Jobs between two looks for owners who need not be remembered. */
const sweepEvery = 1_024;

export interface FairLine extends Iterable<Waiting> {
  readonly size: number;
  get(id: string): Waiting | undefined;
  /** `nominalMs`: what it is expected to take. One that was taken before gets its old place back. */
  add(claim: Claim, nominalMs: number): Waiting;
  /** Undefined when it does not wait. */
  reprioritize(id: string, priority: number): Waiting | undefined;
  /** It begins on a machine: its owner has had its share. */
  take(waiting: Waiting): void;
  /** It ends, or is given up, wherever it is. The entry that waited, if one did. */
  forget(id: string): Waiting | undefined;
  /** How many kinds wait. */
  readonly kinds: number;
  setKind(waiting: Waiting, kind: Kind): void;
  /** Nobody can run it at the moment: it holds up nobody's clock. */
  setStuck(waiting: Waiting, isStuck: boolean): void;
  /** 0 is next; undefined when it does not wait. */
  positionOf(id: string): number | undefined;
  /** Counts everything that waits by another measure: the one before was a guess. */
  revalue(nominalOf: (waiting: Waiting) => number): void;
  /** Machines that share the work: how fast the line moves. */
  setWidth(machines: number): void;
}

interface Owner {
  /** What it has had, and all that it waits for: where its next job would start. */
  clock: number;
  /** The same without what it waits for. */
  served: number;
  /** In the order in which they came. */
  readonly waiting: Set<Waiting>;
  stuck: number;
}

/**
 * The waiting jobs in the order in which they are served: start-time fair queueing. Each owner has a clock of its own that
 * a job of its moves on by what the job costs; the line has one that moves on by what all who wait get on average. A job's
 * place is the later of the two when it came. So a flood puts its own later jobs back and nobody else's; and since the
 * line's clock goes on with every job that is served, everything is next at some time, whatever comes after it.
 */
export function createFairLine(): FairLine {
  const line = new SortedLine<Waiting>();
  const waiting = new Map<string, Waiting>();
  /** Jobs that run: a lost attempt brings its job back to where it was. */
  const taken = new Map<string, Waiting>();
  const owners = new Map<string, Owner>();
  /** Waiting jobs of each kind. */
  const kinds = new Map<Kind, number>();
  /** Owners that gave jobs up: what they did not get is not held against those that came after. */
  const toSettle = new Set<Owner>();
  let clock = 0;
  let seq = 0;
  let width = 1;
  let takes = 0;
  /** Owners with something in the line that can run. */
  let active = 0;

  const isActive = (owner: Owner) => owner.waiting.size > owner.stuck;
  /** One place for all: what a priority is worth depends on how fast the line moves now. */
  const orderOf = (start: number, priority: number) => start - priority * priorityStepMs * width;

  function reorder(entry: Waiting): void {
    line.remove(entry);
    entry.order = orderOf(entry.start, entry.priority);
    line.add(entry);
  }

  function ownerOf(name: string): Owner {
    let owner = owners.get(name);
    if (owner === undefined) {
      owner = {
        clock: Number.NEGATIVE_INFINITY,
        served: Number.NEGATIVE_INFINITY,
        waiting: new Set(),
        stuck: 0,
      };
      owners.set(name, owner);
    }
    return owner;
  }

  /** Changes what an owner waits for, and keeps count of who is active. */
  function changeOwner(name: string, change: (owner: Owner) => void): void {
    const owner = ownerOf(name);
    const before = isActive(owner);
    change(owner);
    active += Number(isActive(owner)) - Number(before);
  }

  function countKind(kind: Kind, change: number): void {
    const count = (kinds.get(kind) ?? 0) + change;
    if (count > 0) kinds.set(kind, count);
    else kinds.delete(kind);
  }

  function enter(entry: Waiting): Waiting {
    countKind(entry.kind, 1);
    waiting.set(entry.id, entry);
    line.add(entry);
    changeOwner(entry.owner, (owner) => owner.waiting.add(entry));
    return entry;
  }

  function leave(entry: Waiting): void {
    entry.isGone = true;
    line.remove(entry);
    waiting.delete(entry.id);
    countKind(entry.kind, -1);
    changeOwner(entry.owner, (owner) => {
      owner.waiting.delete(entry);
      if (entry.isStuck) owner.stuck -= 1;
      if (owner.waiting.size > 0) return;
      // One that owes nothing is like one that never came.
      if (owner.clock <= clock) owners.delete(entry.owner);
    });
  }

  /** With an empty line nobody owes anybody anything. */
  function forgiveIfEmpty(): void {
    if (line.size > 0) return;
    owners.clear();
    toSettle.clear();
    active = 0;
  }

  /** Moves the jobs of owners that gave some up to where they would be without those. */
  function settle(): void {
    for (const owner of toSettle) chain(owner, (start, entry) => Math.min(start, entry.start));
    toSettle.clear();
  }

  /** Puts an owner's jobs one behind the other again, in the order in which they came. */
  function chain(owner: Owner, place: (start: number, entry: Waiting) => number): void {
    let end = owner.served;
    for (const entry of [...owner.waiting].toSorted((a, b) => a.seq - b.seq)) {
      if (entry.isPaid) continue;
      const start = place(Math.max(end, entry.arrivedAt), entry);
      if (start !== entry.start) moveTo(entry, start);
      end = Math.max(end, start) + entry.nominalMs;
    }
    owner.clock = end;
  }

  function moveTo(entry: Waiting, start: number): void {
    line.remove(entry);
    entry.order += start - entry.start;
    entry.start = start;
    line.add(entry);
  }

  /** Owners who were served and did not come back owe nothing any more at some time. */
  function sweep(): void {
    for (const [name, owner] of owners)
      if (owner.waiting.size === 0 && owner.clock <= clock) owners.delete(name);
  }

  return {
    get size() {
      return line.size;
    },
    get: (id) => waiting.get(id),
    add(claim, nominalMs) {
      const before = waiting.get(claim.id) ?? taken.get(claim.id);
      if (before !== undefined) {
        const isPaid = before.isGone;
        if (!before.isGone) leave(before);
        taken.delete(claim.id);
        const order = orderOf(before.start, claim.priority);
        return enter({
          ...before,
          ...claim,
          order,
          isFirst: true,
          isPaid,
          planned: undefined,
          isGone: false,
          isStuck: false,
        });
      }
      settle();
      const owner = ownerOf(claim.owner);
      // A hair before whoever is due at the same time: they had their share already.
      const arrivedAt = clock - 1;
      const start = Math.max(owner.clock, arrivedAt);
      const nominal = Math.min(mostNominalMs, nominalMs);
      const isFirst = owner.waiting.size === 0 && owner.clock <= clock;
      owner.clock = start + nominal;
      return enter({
        ...claim,
        order: orderOf(start, claim.priority),
        start,
        arrivedAt,
        seq: (seq += 1),
        nominalMs: nominal,
        epoch: -1,
        isFirst,
        passedOverMs: 0,
        passedOver: 0,
        planned: undefined,
        isPaid: false,
        isGone: false,
        isStuck: false,
      });
    },
    reprioritize(id, priority) {
      const entry = waiting.get(id);
      if (entry === undefined) return undefined;
      entry.priority = priority;
      reorder(entry);
      return entry;
    },
    take(entry) {
      if (entry.isGone) return;
      clock += entry.nominalMs / Math.max(1, active);
      taken.set(entry.id, entry);
      const owner = ownerOf(entry.owner);
      if (!entry.isPaid) owner.served = Math.max(owner.served, entry.start + entry.nominalMs);
      leave(entry);
      forgiveIfEmpty();
      if ((takes += 1) % sweepEvery === 0) sweep();
    },
    forget(id) {
      taken.delete(id);
      const entry = waiting.get(id);
      if (entry === undefined) return undefined;
      const owner = ownerOf(entry.owner);
      leave(entry);
      if (owner.waiting.size > 0) toSettle.add(owner);
      else owner.clock = Math.min(owner.clock, Math.max(owner.served, entry.start));
      forgiveIfEmpty();
      return entry;
    },
    get kinds() {
      return kinds.size;
    },
    setKind(entry, kind) {
      if (!entry.isGone) {
        countKind(entry.kind, -1);
        countKind(kind, 1);
      }
      entry.kind = kind;
    },
    setStuck(entry, isStuck) {
      if (entry.isGone || entry.isStuck === isStuck) return;
      changeOwner(entry.owner, (owner) => {
        owner.stuck += isStuck ? 1 : -1;
        entry.isStuck = isStuck;
      });
    },
    positionOf(id) {
      settle();
      const entry = waiting.get(id);
      return entry === undefined ? undefined : line.positionOf(entry);
    },
    revalue(nominalOf) {
      for (const entry of waiting.values()) entry.nominalMs = Math.min(mostNominalMs, nominalOf(entry));
      for (const owner of owners.values()) chain(owner, (start) => start);
    },
    setWidth(machines) {
      if (width === Math.max(1, machines)) return;
      width = Math.max(1, machines);
      for (const entry of waiting.values()) if (entry.priority !== 0) reorder(entry);
    },
    [Symbol.iterator]() {
      settle();
      return line[Symbol.iterator]();
    },
  };
}
