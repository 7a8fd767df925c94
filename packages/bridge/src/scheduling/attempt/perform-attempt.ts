import { defaultBreakerLimits, transitionBreaker } from '../../backends/breaker.ts';
import type { Backend, SlotUse } from '../../backends/fleet.ts';
import type { Events } from '../../events.ts';
import type { Job, JobId } from '../../jobs/job.ts';
import type { Turn } from '../../lib/turns.ts';
import type { Logger } from '../../logging.ts';
import type { Kind } from '../../placement/kind.ts';
import { toBreakerEvent } from './conclude-attempt.ts';
import type { RunTraces } from './run-traces.ts';
import type { Attempt, AttemptEnd } from './run-attempt.ts';

/** What a job is given with its place. */
export interface Launch {
  id: JobId;
  kind: Kind;
  backend: Backend;
  /** ms, loading included */
  expectedMs: number;
  /** Undefined when it is not known whether the models had to be loaded. */
  isCold: boolean | undefined;
}

export interface AttemptRun extends Attempt {
  signal: AbortSignal;
  /** The backend's worker is done with the prompt; results may still be on their way. */
  releaseSlot(): void;
  /** Whether another backend has room for this job right now. */
  couldRunElsewhere(): boolean;
  /** When its prompt may be handed in, and that it was. */
  turn: Turn;
  /** What it leaves on its backend. */
  traces: RunTraces;
  /** A second run of the same attempt: only its results count. */
  isHedge: boolean;
  /** True for the first run of the attempt that has executed; the other one is not wanted then. */
  claim(): boolean;
}

export interface EndedAttempt extends Omit<Launch, 'id'> {
  job: Job;
  end: AttemptEnd;
  /** What the backend's worker took, ms; undefined when it never began. */
  ranMs: number | undefined;
}

export interface PerformDeps {
  /** Runs one attempt; never rejects for anything that can be expected. */
  attempt(run: AttemptRun): Promise<AttemptEnd>;
  /** How an attempt ended, to be learned from. */
  onEnded(ended: EndedAttempt): void;
  events: Events;
  log: Logger;
  now: () => number;
}

/** One run on the backend whose slot it holds; disposing gives the slot back. */
interface Performance extends AsyncDisposable {
  perform(run: Omit<AttemptRun, 'backend' | 'slot' | 'turn' | 'releaseSlot'>): Promise<AttemptEnd>;
}

/** Runs an attempt on its slot, and takes from its end what it says of the backend and of costs. */
export function performAttempt(
  { attempt, onEnded, events, log, now, turn }: PerformDeps & { turn: Turn },
  { slot, ...launch }: Launch & { slot: SlotUse },
): Performance {
  const { id, kind, backend, expectedMs, isCold } = launch;
  let releasedAt: number | undefined;

  function releaseSlot(): void {
    if (releasedAt !== undefined) return;
    releasedAt = now();
    if (backend.slots.get(id) === slot) backend.slots.delete(id);
    if (slot.executingSince !== null && slot.models.size > 0) backend.warmModels = slot.models;
    events.emit('backend:capacity', { backend: backend.name });
  }

  function toInternalFailure(error: unknown): AttemptEnd {
    log.error({ jobId: id, backend: backend.name, err: error }, 'an attempt failed unexpectedly');
    return {
      kind: 'execution-error',
      error: { code: 'internal', message: 'the bridge failed to run this job' },
    };
  }

  return {
    async perform(run) {
      const end = await attempt({ ...run, backend, slot, turn, releaseSlot }).catch(toInternalFailure);
      const said = toBreakerEvent(end, now());
      if (said !== undefined)
        backend.breaker = transitionBreaker(backend.breaker, said, defaultBreakerLimits);
      releaseSlot();
      const { executingSince } = slot;
      const ranMs = executingSince === null ? undefined : (releasedAt ?? now()) - executingSince;
      onEnded({ kind, backend, expectedMs, isCold, job: run.job, end, ranMs });
      return end;
    },
    async [Symbol.asyncDispose]() {
      turn.done();
      releaseSlot();
    },
  };
}
