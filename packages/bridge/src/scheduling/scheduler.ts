import type { JobError } from '@comfy-bridge/protocol';

import type { Backend, SlotUse } from '../backends/fleet.ts';
import { roomAt } from '../backends/lending.ts';
import type { Job, JobId } from '../jobs/job.ts';
import type { Claim } from '../placement/claim.ts';
import type { Kind } from '../placement/kind.ts';
import { isClearlyMore } from '../placement/memory-evidence.ts';
import { createPlacementPolicy } from '../placement/placement-policy.ts';
import { isWarm } from '../placement/seat.ts';
import type { Seat } from '../placement/seat.ts';
import type { ClassifyJob } from './classify-job.ts';
import type { Experience } from './experience.ts';
import { createHopelessFinder } from './find-hopeless.ts';
import { findObstacles, isTooLarge } from './find-obstacles.ts';
import { createFleetSeats } from './fleet-seats.ts';
import { helpLate } from './help-late.ts';
import type { BackendJudge } from './judge-backend.ts';
import { createLauncher } from './attempt/launch-attempts.ts';
import type { LaunchDeps } from './attempt/launch-attempts.ts';
import { dropPrompt } from './attempt/drop-prompt.ts';
import { learnFromAttempt } from './attempt/learn-from-attempt.ts';
import type { EndedAttempt, Launch } from './attempt/perform-attempt.ts';
import { createRetryBudget } from './attempt/retry-budget.ts';
import type { AbortReason } from './attempt/run-attempt.ts';
import { toForecast } from './to-forecast.ts';
import type { JobForecast } from './to-forecast.ts';

export interface SchedulerOptions {
  /** Prompts of ours per backend: 1, or 2 for one running and one prefetched. */
  slotsPerBackend: number;
  maxAttempts: number;
  /** Whether a job that takes far too long is run a second time on an idle backend. Default false. */
  hedging?: boolean;
  now?: () => number;
}

export interface SchedulerDeps extends Omit<
  LaunchDeps,
  'couldRun' | 'couldRunElsewhere' | 'onEnded' | 'wake' | 'now' | 'retryBudget'
> {
  classify: ClassifyJob;
  judge: BackendJudge;
  experience: Experience;
}

/** How long a job waits for a better machine before that is thought over. */
const reconsiderMs = 250;
/** Between looks for jobs that nobody can run any more. */
const sweepMs = 10_000;

/** Pairs waiting jobs with backends, late: a job is bound only when a backend has a free slot for it. */
export interface Scheduler {
  /** Jobs that wait for a backend. */
  queueLength(): number;
  /** Place in the queue, 0 is next; undefined when it does not wait. */
  positionOf(id: JobId): number | undefined;
  /** When a job is expected to start and to end; undefined when it has ended, or nobody can tell. */
  forecast(job: Job): JobForecast | undefined;
  /** The fleet as the policy sees it now. */
  seats(): readonly Seat[];
  /** Asks a job to end: dropped when it waits, interrupted when it runs. Undefined when it had ended already. */
  cancel(id: JobId, reason: string): Promise<Job | undefined>;
  /** Goes on with an attempt that an earlier process of the bridge had begun. */
  takeOver(job: Job): void;
  /** Takes a prompt of an earlier process off its backend, when that can be reached. */
  dropPrompt(prompt: { backend: string } & Pick<Job, 'stagedInputs'> & { promptId: string }): void;
  /**
   * Takes jobs off a backend, to run elsewhere: those that have not begun there, or all; or `even-done`, of one that is not
   * believed any more, also those that have run and whose results are on their way.
   */
  moveAway(backend: string, which: 'waiting' | 'all' | 'even-done'): void;
  /** Stops placing jobs, and waits for the attempts that are about to end, at most `graceMs`. */
  drain(graceMs: number): Promise<void>;
  /** Leaves the attempts under way to the next process; their jobs stay unfinished in the store. */
  stop(): Promise<void>;
}

export function createScheduler(deps: SchedulerDeps, options: SchedulerOptions): Scheduler {
  const { ledger, fleet, events, classify, judge, experience, traces, log } = deps;
  const { slotsPerBackend, maxAttempts, hedging = false, now = Date.now } = options;
  const seats = createFleetSeats({ fleet, experience }, { slotsPerBackend, now });
  const jobs = new Map<string, Job>();
  const policy = createPlacementPolicy({
    judge(kind, { name }) {
      const backend = fleet.find(name);
      return backend === undefined ? undefined : judge.cost(kind, backend);
    },
    classify({ id, kind }) {
      const job = jobs.get(id);
      return job === undefined ? kind : classify(job);
    },
    epoch: () => seats.epoch,
    costsVersion: () => experience.costs.version,
  });
  const retryBudget = createRetryBudget();
  const launcher = createLauncher(
    {
      ...deps,
      now,
      retryBudget,
      wake,
      onEnded,
      couldRun: (backend, job) => judge.verdict(classify(job), backend).able,
      couldRunElsewhere: (kind, backend) => findElsewhere(kind, backend) !== undefined,
    },
    { maxAttempts },
  );
  const hopeless = createHopelessFinder({
    classify,
    findObstacles: (kind) => findObstacles({ fleet, judge }, kind),
    isTooLarge: (kind) => isTooLarge({ fleet, judge }, kind),
  });
  const sweep = setInterval(lookForHopeless, sweepMs).unref();
  let wakeQueued = false;
  let stopped = false;
  let reopening: NodeJS.Timeout | undefined;

  const unsubscribe = [
    events.on('job:queued', ({ job }) => {
      if (job.attempt === 0) retryBudget.earn();
      jobs.set(job.id, job);
      policy.add(toClaim(job, classify(job)));
      wake();
    }),
    events.on('job:reprioritized', ({ job }) => {
      jobs.set(job.id, job);
      policy.reprioritize(job.id, job.priority);
      wake();
    }),
    events.on('job:finished', ({ job }) => {
      jobs.delete(job.id);
      policy.forget(job.id);
    }),
    events.on('backend:capacity', wake),
    events.on('workflow:requirements', () => {
      seats.invalidate();
      wake();
    }),
    // Its name may come back for another machine.
    events.on('backend:removed', ({ backend }) => experience.costs.forgetBackend(backend)),
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
    if (policy.size === 0) return helpOut();
    for (const { id, seat: index, kind } of policy.decide(seats.refresh(), now())) {
      const backend = seats.backendAt(index);
      const job = jobs.get(id);
      if (backend === undefined || job === undefined) continue;
      launcher.place(toLaunch(job.id, kind, backend));
    }
    if (policy.size === 0) helpOut();
    else wakeLater();
  }

  function lookForHopeless(): void {
    giveUpHopeless().catch((error: unknown) => log.warn({ err: error }, 'a job that nobody can run stays'));
  }

  async function giveUpHopeless(): Promise<void> {
    const waiting = [...jobs.values()].filter(({ id }) => policy.get(id) !== undefined);
    for (const { job, reason } of hopeless.find(waiting, now())) {
      const error: JobError = { code: 'no_capable_backend', message: reason };
      await ledger.apply(job.id, { type: 'failed', attempt: job.attempt, error, at: now() });
    }
  }

  function toLaunch(id: JobId, kind: Kind, backend: Backend): Launch {
    let loaded: ReadonlySet<string> = backend.warmModels;
    for (const { models } of backend.slots.values()) if (models.size > 0) loaded = models;
    const isCold = !isWarm(kind, loaded);
    const { ms } = experience.costs.run(kind.work, backend.name);
    const loadMs = isCold ? experience.costs.loadMs(kind.work, backend.name) : 0;
    return { id, kind, backend, expectedMs: ms + loadMs, isCold };
  }

  /** With nothing left to place, idle backends help those that are late. */
  function helpOut(): void {
    clearTimeout(reopening);
    const mayHelp = helpLate({ seats, launcher, judge, experience, toLaunch }, { hedging, now: now() });
    if (mayHelp) reopening = setTimeout(wake, reconsiderMs).unref();
  }

  /** Time alone can make a placement possible: a breaker lets one through again, a machine takes longer than expected. */
  function wakeLater(): void {
    clearTimeout(reopening);
    if (policy.size === 0) return;
    let ms = policy.isPatient ? reconsiderMs : Number.POSITIVE_INFINITY;
    for (const backend of fleet.backends) {
      const { breaker } = backend;
      if (breaker.state === 'open') ms = Math.min(ms, breaker.until - now());
      ms = Math.min(ms, (roomAt(backend, now()) ?? Number.POSITIVE_INFINITY) - now());
    }
    if (ms < Number.POSITIVE_INFINITY) reopening = setTimeout(wake, Math.max(0, ms) + 1).unref();
  }

  /** A backend that could take this kind of job at once. */
  function findElsewhere(kind: Kind, than: Backend): Backend | undefined {
    for (const [index, { isReady, freeSlots }] of seats.refresh().entries()) {
      const backend = seats.backendAt(index);
      if (backend === undefined || backend === than || !isReady || freeSlots === 0) continue;
      if (judge.verdict(kind, backend).able) return backend;
    }
    return undefined;
  }

  function onEnded(ended: EndedAttempt): void {
    const { kind, backend } = ended;
    const hasBigger = fleet.backends.some(
      (other) =>
        isClearlyMore(other.usableMemoryBytes, backend.usableMemoryBytes) && judge.verdict(kind, other).able,
    );
    if (learnFromAttempt(experience, ended, { at: now(), hasBigger })) {
      seats.invalidate();
      // Others like it may wait: what nobody has the memory for is told at once.
      lookForHopeless();
    }
    policy.learned(kind, seats.indexOf(backend));
  }

  /** True for an attempt that is expected to be over within `graceMs`. */
  function endsSoon({ executingSince, expectedMs }: SlotUse, graceMs: number): boolean {
    return executingSince !== null && expectedMs - (now() - executingSince) <= graceMs;
  }

  return {
    queueLength: () => policy.size,
    positionOf: (id) => policy.positionOf(id),
    forecast(job) {
      const attempt = launcher.get(job.id);
      const waits = attempt === undefined ? policy.forecast(job.id, seats.refresh(), now()) : undefined;
      return toForecast({ experience, now, kindOf: () => classify(job) }, { attempt, waits });
    },
    seats: () => seats.refresh(),
    async cancel(id, reason) {
      const job = await ledger.apply(id, { type: 'cancel-requested', reason, at: now() });
      if (job?.state.status === 'canceling') launcher.abort(id, 'cancel');
      return job;
    },
    takeOver(job) {
      const { state } = job;
      const backend = 'backend' in state ? fleet.find(state.backend) : undefined;
      if (backend === undefined) return;
      jobs.set(job.id, job);
      const kind = classify(job);
      const { ms } = experience.costs.run(kind.work, backend.name);
      launcher.takeOver(job, { id: job.id, kind, backend, expectedMs: ms, isCold: undefined });
      if (state.status === 'canceling') launcher.abort(job.id, 'cancel');
    },
    dropPrompt({ backend: name, promptId, stagedInputs }) {
      const backend = fleet.find(name);
      if (backend !== undefined) void dropPrompt({ traces, log }, backend, { promptId, stagedInputs });
    },
    moveAway(name, which) {
      if (which === 'even-done') return launcher.evict(name);
      for (const { id, backend, slot } of launcher.running()) {
        const isMeant = which === 'all' || slot.executingSince === null;
        // One that has given its slot back has run: its results are still fetched.
        if (backend.name === name && isMeant && backend.slots.get(id) === slot)
          launcher.abort(id, 'move' satisfies AbortReason);
      }
    },
    async drain(graceMs) {
      stopped = true;
      clearTimeout(reopening);
      const soon = [...launcher.running()]
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
      clearInterval(sweep);
      unsubscribe.forEach((off) => off());
      await launcher.stop();
    },
  };
}

function toClaim({ id, owner, priority, createdAt, excluded }: Job, kind: Kind): Claim {
  return { id, owner: owner ?? '', priority, createdAt, kind, excluded };
}
