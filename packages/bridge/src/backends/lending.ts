import type { DonorRefusal, DonorStatus } from '../comfy/donor-status.ts';
import type { Events } from '../events.ts';

/** What the owner of a machine that is lent wants of it, as far as is known. Never changed: news is a new one. */
export interface Lending {
  readonly state: DonorStatus['state'];
  readonly reason: DonorStatus['reason'];
  /** When a pause is to end, ms since the epoch by the donor's clock; null while nobody knows. */
  readonly until: number | null;
  /** Prompts of ours that it takes at a time; null where it does not say. */
  readonly maxQueue: number | null;
  /** When it was last known to be paused, ms since the epoch; 0: never. */
  readonly pausedAt: number;
  /** It refused prompts of ours: none is sent before this, ms since the epoch. */
  readonly closedUntil: number;
  /** In a row. */
  readonly refusals: number;
}

/** What is needed here of a backend. `lending` is null for a stock ComfyUI, undefined while nobody knows. */
interface Machine {
  readonly name: string;
  lending: Lending | null | undefined;
}

interface NoteDeps {
  events: Events;
  now: () => number;
}

/** So long a machine is left alone that refused a prompt, twice as long for each further one: it may say that it is lent, and not mean it. */
const firstRestMs = { full: 5_000, paused: 500 };
const longestRestMs = 300_000;
const lent: DonorStatus = { state: 'available', reason: null, until: null, maxQueue: null };

/** Takes news of a backend's lending; undefined: it is not lent, a stock ComfyUI. Tells when its owner pauses or resumes. */
export function noteLending(
  { events, now }: NoteDeps,
  backend: Machine,
  status: DonorStatus | undefined,
): void {
  const before = backend.lending;
  const wasPaused = isPausedByOwner(backend);
  if (status === undefined) backend.lending = null;
  else {
    const { state, reason, until } = status;
    backend.lending = {
      ...{ state, reason, until },
      maxQueue: status.maxQueue ?? before?.maxQueue ?? null,
      pausedAt: state === 'paused' || wasPaused ? now() : (before?.pausedAt ?? 0),
      closedUntil: before?.closedUntil ?? 0,
      refusals: before?.refusals ?? 0,
    };
  }
  const { lending } = backend;
  const isPaused = isPausedByOwner(backend);
  const isNews = isPaused && before?.reason !== lending?.reason;
  if (isPaused === wasPaused && !isNews) return;
  const { reason = null, until = null } = lending ?? {};
  events.emit('backend:lending', { backend: backend.name, isPaused, reason, until });
  if (wasPaused && !isPaused) events.emit('backend:capacity', { backend: backend.name });
}

/** It did not take a prompt, because it is paused, or holds as many of ours as its owner allows. */
export function noteRefusal(deps: NoteDeps, backend: Machine, refusal: DonorRefusal): void {
  if (refusal.kind === 'paused') noteLending(deps, backend, refusal.status);
  // Whatever it said when it was asked, only a machine that is lent refuses like that.
  else if (!backend.lending) noteLending(deps, backend, lent);
  const { lending } = backend;
  if (!lending) return;
  const restMs = Math.min(longestRestMs, firstRestMs[refusal.kind] * 2 ** Math.min(lending.refusals, 16));
  backend.lending = {
    ...lending,
    refusals: lending.refusals + 1,
    closedUntil: deps.now() + restMs,
  };
}

/** It took one. */
export function noteAccepted(backend: Machine): void {
  if (backend.lending && backend.lending.refusals > 0)
    backend.lending = { ...backend.lending, refusals: 0, closedUntil: 0 };
}

export function isPausedByOwner({ lending }: Machine): boolean {
  return lending?.state === 'paused';
}

/** When it may be given a prompt again, ms since the epoch; undefined: now, or not before its owner resumes it. */
export function roomAt({ lending }: Machine, now: number): number | undefined {
  return lending && now < lending.closedUntil ? lending.closedUntil : undefined;
}

/** As the end of a sentence about a backend: `is paused by its owner until 2026-07-30T06:00:00Z`. */
export function describeOwnersPause({ lending }: Machine): string {
  const until = lending?.until ?? null;
  if (until === null) return 'is paused by its owner';
  return `is paused by its owner until ${new Date(until).toISOString().replace(/\.\d+Z$/, 'Z')}`;
}
