import type { Kind } from './kind.ts';

/** What the policy knows of a backend, as of now. */
export interface Seat {
  readonly name: string;
  /** It can be given work, now or when it is done with what it has. */
  readonly isReady: boolean;
  /** Prompts that it can be given now. */
  readonly freeSlots: number;
  /** When it is expected to be done with what it has, ms since the epoch; any time in the past when it is idle. */
  readonly freeAt: number;
  /** The models that will be in its memory then. */
  readonly warmModels: ReadonlySet<string>;
  /** How much its operator prefers it: 2 counts as twice as fast. */
  readonly weight: number;
}

/** What a kind of job costs on a seat. */
export interface SeatCost {
  runMs: number;
  /** What comes on top if its models are not in memory. */
  loadMs: number;
  /** How often jobs of this kind ran there: one that never did is worth a try when it looks about as good. */
  isProven: boolean;
}

/** Undefined: the seat can not run it. */
export type Judge = (kind: Kind, seat: Seat) => SeatCost | undefined;

export function isWarm(kind: Kind, loaded: { has(model: string): boolean }): boolean {
  return kind.work.models.every((model) => loaded.has(model));
}
