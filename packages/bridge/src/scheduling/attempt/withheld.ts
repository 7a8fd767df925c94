import type { Backend } from '../../backends/fleet.ts';
import { isPausedByOwner, noteLending, noteRefusal } from '../../backends/lending.ts';
import type { DonorRefusal } from '../../comfy/donor-status.ts';
import type { Events } from '../../events.ts';
import type { Logger } from '../../logging.ts';
import type { AttemptFailure } from './retry-policy.ts';

type Withheld = Extract<AttemptFailure, { kind: 'withheld' }>;

export interface WithheldDeps {
  events: Events;
  log: Logger;
  now: () => number;
}

export const pausedByOwner: Withheld = { kind: 'withheld', reason: 'its owner paused it' };

const askMs = 3_000;

/** A machine that is lent did not take the prompt. Until it says otherwise it gets no other one either. */
export function toWithheld({ events, now }: WithheldDeps, backend: Backend, refusal: DonorRefusal): Withheld {
  noteRefusal({ events, now }, backend, refusal);
  if (refusal.kind === 'paused') return pausedByOwner;
  return { kind: 'withheld', reason: 'it holds as many prompts as its owner allows' };
}

/**
 * Whether an attempt that began at `since` ended because of the backend's owner: its prompt was interrupted, or is gone,
 * around a pause of a machine that is lent. What ComfyUI tells of the prompt does not say whose doing that was.
 */
export async function wasWithheld(
  { events, log, now }: WithheldDeps,
  backend: Backend,
  { end, since, isTakenOver }: { end: AttemptFailure; since: number; isTakenOver: boolean },
): Promise<boolean> {
  const isInterrupted = end.kind === 'interrupted-there';
  if ((!isInterrupted && end.kind !== 'backend-lost') || backend.lending === null) return false;
  const wasPaused = () => isPausedByOwner(backend) || (backend.lending?.pausedAt ?? 0) >= since;
  if (wasPaused()) return true;
  if (!isInterrupted && !end.vanished) return false;
  const before = backend.lending;
  try {
    // The end may have been faster than the news of its reason.
    const status = await backend.client.donorStatus(AbortSignal.timeout(askMs));
    if (backend.lending === before) noteLending({ events, now }, backend, status);
  } catch (error) {
    log.debug({ backend: backend.name, err: error }, 'could not ask a backend whether its owner paused it');
  }
  // While no bridge listened, the machine itself interrupts what nobody seems to wait for.
  return wasPaused() || (isInterrupted && isTakenOver && Boolean(backend.lending));
}
