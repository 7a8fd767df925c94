import type { Kind } from './kind.ts';

/** What the policy knows of a waiting job. */
export interface Claim {
  readonly id: string;
  /** Who shares fairly with the others: jobs of one owner take turns with those of another. */
  readonly owner: string;
  /** 0 is normal; each step up counts as having come five minutes earlier, each step down as later. */
  readonly priority: number;
  readonly createdAt: number;
  readonly kind: Kind;
  /** Backends that lost an attempt of it: used again only when no other one can run it. */
  readonly excluded: readonly string[];
}

/** A claim with its place in the line. The policy keeps its notes on it. */
export interface Waiting extends Omit<Claim, 'kind' | 'priority'> {
  priority: number;
  /** As of `epoch`: what a prompt needs is read from what the fleet offers. */
  kind: Kind;
  epoch: number;
  /** What the line is sorted by, in ms of virtual time; then by `seq`. */
  order: number;
  /** The same without its priority. */
  start: number;
  /** The line's clock when it came. */
  readonly arrivedAt: number;
  readonly seq: number;
  /** What it was expected to take when it came, ms: its owner's share is counted by it. */
  nominalMs: number;
  /** Its owner had nothing in the line before it: such a job is passed over once at most. */
  readonly isFirst: boolean;
  /** Expected ms of the jobs that went before it because their models were loaded. */
  passedOverMs: number;
  passedOver: number;
  /** `by` the current plan (its identity), ms since the epoch; undefined beyond its horizon. */
  planned: { by: object; seat: number; startAt: number; finishAt: number } | undefined;
  /** It was taken before and came back: its owner has paid for it. */
  readonly isPaid: boolean;
  /** Nobody can run it at the moment. */
  isStuck: boolean;
  /** No longer in the line. */
  isGone: boolean;
}
