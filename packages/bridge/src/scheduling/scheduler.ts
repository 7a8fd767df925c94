import { defaultBreakerLimits, transitionBreaker } from '../backends/breaker.ts';
import type { Backend, Fleet, SlotUse } from '../backends/fleet.ts';
import type { Events } from '../events.ts';
import type { Job, JobId } from '../jobs/job.ts';
import type { JobLedger } from '../jobs/job-ledger.ts';
import { reachPoint } from '../lib/crash-point.ts';
import { createTurns } from '../lib/turns.ts';
import type { Turn } from '../lib/turns.ts';
import type { Logger } from '../logging.ts';
import { createBackendAssessor } from './assess-backend.ts';
import { concludeAttempt, toBreakerEvent } from './conclude-attempt.ts';
import { createPromptForgetter } from './forget-prompts.ts';
import { canRun, pickBackend, toWish } from './pick-backend.ts';
import type { Wish } from './pick-backend.ts';
import { createRetryBudget } from './retry-budget.ts';
import type { AbortReason, Attempt, AttemptEnd } from './run-attempt.ts';
import type { RunTimes } from './run-times.ts';
import { createWaitingLine } from './waiting-line.ts';

export interface SchedulerOptions {
  /** Prompts of ours per backend: 1, or 2 for one running and one prefetched. */
  slotsPerBackend: number;
  maxAttempts: number;
  /** Take prompts out of the backend's history once their results are kept here. Default true. */
  cleanUp?: boolean;
  now?: () => number;
}

export interface SchedulerDeps {
  ledger: JobLedger;
  fleet: Fleet;
  events: Events;
  runTimes: RunTimes;
  /** An id for a prompt on this backend, random and never given before. */
  newPromptId(backend: Backend): string;
  /** Runs one attempt; never rejects for anything that can be expected. */
  attempt(run: AttemptRun): Promise<AttemptEnd>;
  /** A look at a backend that just failed us. */
  probeSoon(backend: string): void;
  log: Logger;
}

export interface AttemptRun extends Attempt {
  signal: AbortSignal;
  /** The backend's worker is done with the prompt; results may still be on their way. */
  releaseSlot(): void;
  /** Whether another backend has room for this job right now. */
  couldRunElsewhere(): boolean;
  /** When its prompt may be handed in, and that it was. */
  turn: Turn;
}

/** Jobs that are looked at in one round although they can only wait. */
const lookAhead = 200;
/** How long a job waits for a better machine before that is thought over. */
const reconsiderMs = 250;

/** Pairs waiting jobs with backends, late: a job is bound only when a backend has a free slot for it. */
export interface Scheduler {
  /** Jobs that wait for a backend. */
  queueLength(): number;
  /** Place in the queue, 0 is next; undefined when it does not wait. */
  positionOf(id: JobId): number | undefined;
  /** Asks a job to end: dropped when it waits, interrupted when it runs. Undefined when it had ended already. */
  cancel(id: JobId, reason: string): Promise<Job | undefined>;
  /** Goes on with an attempt that an earlier process of the bridge had begun. */
  takeOver(job: Job): void;
  /** Stops placing jobs, and waits for the attempts that are about to end, at most `graceMs`. */
  drain(graceMs: number): Promise<void>;
  /** Leaves the attempts under way to the next process; their jobs stay unfinished in the store. */
  stop(): Promise<void>;
}

export function createScheduler(deps: SchedulerDeps, options: SchedulerOptions): Scheduler {
  const { ledger, fleet, events, runTimes, log } = deps;
  const { slotsPerBackend, maxAttempts, cleanUp = true, now = Date.now } = options;
  const waiting = createWaitingLine();
  const running = new Map<JobId, { abort: AbortController; done: Promise<void>; slot: SlotUse }>();
  const retryBudget = createRetryBudget();
  const { toCandidate } = createBackendAssessor({ fleet, runTimes }, { slotsPerBackend, now });
  /** Prompts reach a backend in the order in which their jobs were placed on it, however long staging takes. */
  const turns = createTurns();
  const forgetter = createPromptForgetter({ log });
  let wakeQueued = false;
  let stopped = false;
  let reopening: NodeJS.Timeout | undefined;

  const unsubscribe = [
    events.on('job:queued', ({ job }) => {
      if (job.attempt === 0) retryBudget.earn();
      waiting.add(job, toWish(job));
      wake();
    }),
    events.on('job:finished', ({ job }) => waiting.remove(job.id)),
    events.on('backend:capacity', wake),
  ];

  function wake(): void {
    if (wakeQueued || stopped) return;
    wakeQueued = true;
    queueMicrotask(() => {
      wakeQueued = false;
      if (!stopped) placeJobs();
    });
  }

  function placeJobs(): void {
    if (waiting.size === 0) return;
    /** Work that jobs further ahead will bring to a backend that they wait for, in ms. */
    const promisedMs = new Map<string, number>();
    let looked = 0;
    let isPatient = false;
    for (const [id, wish] of waiting.entries()) {
      const candidates = fleet.backends.map((backend) => toCandidate(backend, wish, promisedMs));
      if (!candidates.some((candidate) => candidate.ready && candidate.freeSlots > 0)) break;
      const pick = pickBackend(wish, candidates);
      if (pick.ok) {
        const backend = fleet.find(pick.backend);
        if (backend !== undefined) place(id, wish, backend);
      } else if (pick.reason === 'waits-for') {
        isPatient = true;
        const runMs = runTimes.expect(wish.workflow, pick.backend);
        promisedMs.set(pick.backend, (promisedMs.get(pick.backend) ?? 0) + runMs);
        // Far enough ahead to know what is worth waiting for, and not more work for a longer queue.
        if (++looked >= lookAhead) break;
      }
    }
    wakeLater(isPatient);
  }

  /** Time alone can make a placement possible: a breaker lets one through again, a machine takes longer than expected. */
  function wakeLater(isPatient: boolean): void {
    clearTimeout(reopening);
    if (waiting.size === 0) return;
    const times = fleet.backends.flatMap(({ breaker }) =>
      breaker.state === 'open' ? [breaker.until - now()] : [],
    );
    const ms = Math.min(...times, isPatient ? reconsiderMs : Number.POSITIVE_INFINITY);
    if (ms < Number.POSITIVE_INFINITY) reopening = setTimeout(wake, Math.max(0, ms) + 1).unref();
  }

  /** Reserves the slot at the moment of the decision; everything slow comes after. */
  function place(id: JobId, wish: Wish, backend: Backend): void {
    waiting.remove(id);
    start(id, wish, backend, async () => {
      const promptId = deps.newPromptId(backend);
      const job = await ledger.apply(id, { type: 'assigned', backend: backend.name, promptId, at: now() });
      reachPoint('attempt-assigned');
      return job === undefined ? undefined : { job, promptId, isTakenOver: false };
    });
  }

  function takeOver(job: Job): void {
    const { state } = job;
    const backend = 'backend' in state ? fleet.find(state.backend) : undefined;
    if (backend === undefined || !('promptId' in state)) return;
    const { promptId } = state;
    start(job.id, toWish(job), backend, async () => {
      const current = await ledger.apply(job.id, { type: 'reattached', attempt: job.attempt });
      return { job: current ?? job, promptId, isTakenOver: true };
    });
    if (state.status === 'canceling') running.get(job.id)?.abort.abort('cancel' satisfies AbortReason);
  }

  type Prepared = Pick<Attempt, 'job' | 'promptId' | 'isTakenOver'>;

  function start(
    id: JobId,
    wish: Wish,
    backend: Backend,
    prepare: () => Promise<Prepared | undefined>,
  ): void {
    const slot: SlotUse = {
      jobId: id,
      workflow: wish.workflow,
      executingSince: null,
      promptId: null,
      submitted: false,
    };
    backend.slots.set(id, slot);
    const turn = turns.take(backend.name);
    const abort = new AbortController();
    const done = attemptJob({ backend, slot, wish, turn, signal: abort.signal, prepare }).catch(
      (error: unknown) => {
        log.error({ jobId: id, backend: backend.name, err: error }, 'an attempt broke');
      },
    );
    const entry = { abort, done, slot };
    running.set(id, entry);
    void done.finally(() => {
      if (running.get(id) === entry) running.delete(id);
    });
  }

  interface Run {
    backend: Backend;
    slot: SlotUse;
    wish: Wish;
    turn: Turn;
    signal: AbortSignal;
    prepare: () => Promise<Prepared | undefined>;
  }

  async function attemptJob({ backend, slot, wish, turn, signal, prepare }: Run): Promise<void> {
    let releasedAt: number | undefined;
    function releaseSlot(): void {
      if (releasedAt !== undefined) return;
      releasedAt = now();
      if (backend.slots.get(slot.jobId) === slot) backend.slots.delete(slot.jobId);
      events.emit('backend:capacity', { backend: backend.name });
    }
    const couldRunElsewhere = () =>
      fleet.backends.some((other) => {
        const { ready, freeSlots, nodeClasses } = toCandidate(other, wish);
        return other !== backend && ready && freeSlots > 0 && canRun(nodeClasses, wish);
      });
    try {
      const prepared = await prepare();
      if (prepared === undefined) return;
      const { job } = prepared;
      const end = await deps
        .attempt({ ...prepared, backend, slot, turn, signal, releaseSlot, couldRunElsewhere })
        .catch((error: unknown) => toInternalFailure(job, backend, error));
      const said = toBreakerEvent(end, now());
      if (said !== undefined)
        backend.breaker = transitionBreaker(backend.breaker, said, defaultBreakerLimits);
      releaseSlot();
      // Its slot may have been given back before this: with a backend that has just proven itself there is room for more.
      wake();
      if (end.kind === 'succeeded' && slot.executingSince !== null) {
        runTimes.record(job.workflow, backend.name, (releasedAt ?? now()) - slot.executingSince);
      }
      await concludeAttempt({ ...deps, retryBudget, now }, { job, backend, end }, { maxAttempts });
      // Only now: until the job is written down as done, a new process would need it.
      if (cleanUp && end.kind !== 'released') {
        forgetter.forget(backend, slot.promptId ?? prepared.promptId);
      }
    } finally {
      turn.done();
      releaseSlot();
    }
  }

  function toInternalFailure(job: Job, backend: Backend, error: unknown): AttemptEnd {
    log.error({ jobId: job.id, backend: backend.name, err: error }, 'an attempt failed unexpectedly');
    return {
      kind: 'execution-error',
      error: { code: 'internal', message: 'the bridge failed to run this job' },
    };
  }

  /** True for an attempt that is expected to be over within `graceMs`. */
  function endsSoon({ workflow, executingSince }: SlotUse, graceMs: number): boolean {
    if (executingSince === null) return false;
    const expected = runTimes.expect(workflow, '') - (now() - executingSince);
    return expected <= graceMs;
  }

  return {
    queueLength: () => waiting.size,
    positionOf: waiting.positionOf,
    async cancel(id, reason) {
      const job = await ledger.apply(id, { type: 'cancel-requested', reason, at: now() });
      if (job?.state.status === 'canceling') running.get(id)?.abort.abort('cancel' satisfies AbortReason);
      return job;
    },
    takeOver,
    async drain(graceMs) {
      stopped = true;
      clearTimeout(reopening);
      const soon = [...running.values()]
        .filter(({ slot }) => endsSoon(slot, graceMs))
        .map(({ done }) => done);
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, graceMs);
      await Promise.race([Promise.allSettled(soon), late]);
      clearTimeout(timer);
    },
    async stop() {
      stopped = true;
      clearTimeout(reopening);
      unsubscribe.forEach((off) => off());
      for (const { abort } of running.values()) abort.abort('release' satisfies AbortReason);
      await Promise.all([...running.values()].map(({ done }) => done));
      await forgetter.stop();
    },
  };
}
