import type { Backend, SlotUse } from '../../backends/fleet.ts';
import type { Job, JobId } from '../../jobs/job.ts';
import type { JobLedger } from '../../jobs/job-ledger.ts';
import { reachPoint } from '../../lib/crash-point.ts';
import { createTurns } from '../../lib/turns.ts';
import type { Kind } from '../../placement/kind.ts';
import { concludeAttempt } from './conclude-attempt.ts';
import type { ConcludeDeps } from './conclude-attempt.ts';
import { performAttempt } from './perform-attempt.ts';
import type { Launch, PerformDeps } from './perform-attempt.ts';
import type { RunTraces, Traces } from './run-traces.ts';
import type { AbortReason, Attempt, AttemptEnd } from './run-attempt.ts';
import { stagedValues } from './stage-inputs.ts';

export interface LaunchDeps extends PerformDeps, Omit<ConcludeDeps, 'now'> {
  ledger: JobLedger;
  /** An id for a prompt on this backend, random and never given before. */
  newPromptId(backend: Backend): string;
  couldRunElsewhere(kind: Kind, backend: Backend): boolean;
  traces: Traces;
  /** There may be room for more, or less trust than before. */
  wake(): void;
}

export interface LaunchOptions {
  maxAttempts: number;
}

interface Hedge {
  backend: Backend;
  abort: AbortController;
  won: Promise<boolean>;
}

export interface RunningAttempt extends Launch {
  readonly slot: SlotUse;
  readonly done: Promise<void>;
  /** The second run; `won` resolves once it is over, true when its results are the job's. */
  readonly hedge: Hedge | undefined;
}

interface Entry extends RunningAttempt {
  readonly abort: AbortController;
  readonly race: { winner: 'first' | 'hedge' | undefined };
  hedge: Hedge | undefined;
}

/** Attempts from their place on a backend to their end. */
export interface Launcher {
  place(launch: Launch): void;
  /** Goes on with an attempt that an earlier process of the bridge had begun. */
  takeOver(job: Job, launch: Launch): void;
  /** Runs it a second time, beside the attempt under way; the first that is done wins, the other is interrupted. */
  hedge(launch: Launch): void;
  abort(id: JobId, reason: AbortReason): void;
  /** Ends every run on that backend, also those whose results are being fetched; their jobs go elsewhere. */
  evict(backend: string): void;
  running(): IterableIterator<RunningAttempt>;
  get(id: JobId): RunningAttempt | undefined;
  stop(): Promise<void>;
}

export function createLauncher(deps: LaunchDeps, { maxAttempts }: LaunchOptions): Launcher {
  const { ledger, traces, log, now } = deps;
  const running = new Map<JobId, Entry>();
  /** Prompts reach a backend in the order in which their jobs were placed on it, however long staging takes. */
  const turns = createTurns();

  type Prepared = Pick<Attempt, 'job' | 'promptId' | 'isTakenOver'>;
  type Prepare = (left: RunTraces) => Promise<Prepared | undefined>;

  /** Reserves the slot at the moment of the decision; everything slow comes after. */
  function start(launch: Launch, prepare: Prepare): void {
    const { id, backend } = launch;
    const started = Promise.withResolvers<void>();
    const entry: Entry = {
      ...launch,
      slot: reserveSlot(launch),
      abort: new AbortController(),
      race: { winner: undefined },
      hedge: undefined,
      done: started.promise,
    };
    running.set(id, entry);
    void runFirst(entry, prepare)
      .catch((error: unknown) =>
        log.error({ jobId: id, backend: backend.name, err: error }, 'an attempt broke'),
      )
      .finally(() => {
        if (running.get(id) === entry) running.delete(id);
        started.resolve();
      });
  }

  async function runFirst(entry: Entry, prepare: Prepare): Promise<void> {
    const { backend, kind, slot, race, abort } = entry;
    using left = traces.begin(backend);
    await using run = performAttempt({ ...deps, turn: turns.take(backend.name) }, entry);
    const prepared = await prepare(left);
    if (prepared === undefined) return;
    const { job, promptId } = prepared;
    const end = await run.perform({
      ...prepared,
      signal: abort.signal,
      traces: left,
      isHedge: false,
      couldRunElsewhere: () => deps.couldRunElsewhere(kind, backend),
      claim: () => claim(race, 'first', () => entry.hedge?.abort.abort('cancel' satisfies AbortReason)),
    });
    // Its slot may have been given back before this: with a backend that has just proven itself there is room for more.
    deps.wake();
    if (end.kind === 'succeeded' || end.kind === 'released' || !(await entry.hedge?.won)) {
      await concludeAttempt(deps, { job, backend, end: settle(end, race) }, { maxAttempts });
    }
    await entry.hedge?.won;
    // Only now: until the job is written down as done, a new process would need it.
    if (end.kind !== 'released') left.forget(slot.promptId ?? promptId);
  }

  /** The second run of an attempt. True when its results are the job's. */
  async function runHedge(entry: Entry, launch: Launch, abort: AbortController): Promise<boolean> {
    const { id, backend } = launch;
    const slot = reserveSlot(launch);
    using left = traces.begin(backend);
    await using run = performAttempt({ ...deps, turn: turns.take(backend.name) }, { ...launch, slot });
    const { attempt } = (await ledger.get(id)) ?? { attempt: -1 };
    const promptId = deps.newPromptId(backend);
    const job = await ledger.apply(id, { type: 'hedged', attempt, backend: backend.name, promptId });
    if (job === undefined) return false;
    const end = await run.perform({
      job,
      promptId,
      isTakenOver: false,
      signal: abort.signal,
      traces: left,
      isHedge: true,
      couldRunElsewhere: () => false,
      claim: () => claim(entry.race, 'hedge', () => entry.abort.abort('move' satisfies AbortReason)),
    });
    deps.wake();
    let hasWon = false;
    if (end.kind === 'succeeded') {
      const { results } = end;
      const won = { type: 'succeeded', attempt, results, at: now(), byHedge: true } as const;
      hasWon = (await ledger.apply(id, won)) !== undefined;
    }
    if (end.kind !== 'released') left.forget(slot.promptId ?? promptId);
    return hasWon;
  }

  return {
    place(launch) {
      const { id, backend } = launch;
      start(launch, async () => {
        const promptId = deps.newPromptId(backend);
        const job = await ledger.apply(id, { type: 'assigned', backend: backend.name, promptId, at: now() });
        reachPoint('attempt-assigned');
        return job === undefined ? undefined : { job, promptId, isTakenOver: false };
      });
    },
    takeOver(job, launch) {
      const { state } = job;
      if (!('promptId' in state)) return;
      const { promptId } = state;
      start(launch, async (left) => {
        for (const input of stagedValues({ ...job, promptId })) void left.claim(input);
        const current = await ledger.apply(job.id, { type: 'reattached', attempt: job.attempt });
        return { job: current ?? job, promptId, isTakenOver: true };
      });
    },
    hedge(launch) {
      const { id, backend } = launch;
      const entry = running.get(id);
      if (entry === undefined || entry.hedge !== undefined || entry.abort.signal.aborted) return;
      const abort = new AbortController();
      const won = runHedge(entry, launch, abort).catch((error: unknown) => {
        log.error({ jobId: id, backend: backend.name, err: error }, 'a second run broke');
        return false;
      });
      entry.hedge = { backend, abort, won };
    },
    abort(id, reason) {
      const entry = running.get(id);
      entry?.abort.abort(reason);
      entry?.hedge?.abort.abort(reason);
    },
    evict(name) {
      for (const { backend, abort, hedge } of running.values()) {
        if (backend.name === name) abort.abort('move' satisfies AbortReason);
        if (hedge?.backend.name === name) hedge.abort.abort('move' satisfies AbortReason);
      }
    },
    running: () => running.values(),
    get: (id) => running.get(id),
    async stop() {
      for (const { abort, hedge } of running.values()) {
        abort.abort('release' satisfies AbortReason);
        hedge?.abort.abort('release' satisfies AbortReason);
      }
      await Promise.all([...running.values()].map(({ done }) => done));
      await traces.stop();
    },
  };
}

function reserveSlot({ id, kind, backend, expectedMs }: Launch): SlotUse {
  const slot: SlotUse = {
    jobId: id,
    workflow: kind.work.workflow,
    executingSince: null,
    promptId: null,
    submitted: false,
    expectedMs,
    models: new Set(kind.work.models),
  };
  backend.slots.set(id, slot);
  return slot;
}

/** Of the two runs of an attempt, the first that has executed counts. */
function claim(race: Entry['race'], who: 'first' | 'hedge', stopOther: () => void): boolean {
  if (race.winner !== undefined) return race.winner === who;
  race.winner = who;
  stopOther();
  return true;
}

/** Beaten by a second run whose results could then not be had: its owner did not cancel it, so it goes on. */
function settle(end: AttemptEnd, { winner }: Entry['race']): AttemptEnd {
  if (end.kind !== 'canceled' || winner !== 'hedge') return end;
  return { kind: 'taken-back', reason: 'a second run was first, and its results were lost' };
}
