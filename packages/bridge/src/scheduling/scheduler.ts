import { randomUUID } from 'node:crypto';

import type { Backend, Fleet, SlotUse } from '../backends/fleet.ts';
import { foreignPrompts } from '../backends/fleet.ts';
import type { Events } from '../events.ts';
import type { Job, JobId } from '../jobs/job.ts';
import type { JobLedger } from '../jobs/job-ledger.ts';
import type { Logger } from '../logging.ts';
import { pickBackend } from './pick-backend.ts';
import type { Candidate, Wish } from './pick-backend.ts';
import { decideRetry } from './retry-policy.ts';
import type { AttemptEnd } from './run-attempt.ts';
import type { RunTimes } from './run-times.ts';

export interface SchedulerOptions {
  /** Prompts of ours per backend: 1, or 2 for one running and one prefetched. */
  slotsPerBackend: number;
  maxAttempts: number;
  now?: () => number;
}

export interface SchedulerDeps {
  ledger: JobLedger;
  fleet: Fleet;
  events: Events;
  runTimes: RunTimes;
  /** Runs one attempt; never rejects for anything that can be expected. */
  attempt(run: AttemptRun): Promise<AttemptEnd>;
  /** A look at a backend that just failed us. */
  probeSoon(backend: string): void;
  log: Logger;
}

export interface AttemptRun {
  job: Job;
  backend: Backend;
  slot: SlotUse;
  promptId: string;
  signal: AbortSignal;
  /** The backend's worker is done with the prompt; results may still be on their way. */
  releaseSlot(): void;
}

/** Pairs waiting jobs with backends, late: a job is bound only when a backend has a free slot for it. */
export interface Scheduler {
  /** Jobs that wait for a backend. */
  queueLength(): number;
  /** Place in the queue, 0 is next; undefined when it does not wait. */
  positionOf(id: JobId): number | undefined;
  /** Asks a job to end: dropped when it waits, interrupted when it runs. Undefined when it had ended already. */
  cancel(id: JobId, reason: string): Promise<Job | undefined>;
  /** Stops placing jobs and gives up the attempts under way; their jobs stay unfinished in the store. */
  stop(): Promise<void>;
}

export function createScheduler(deps: SchedulerDeps, options: SchedulerOptions): Scheduler {
  const { ledger, fleet, events, runTimes, log } = deps;
  const { slotsPerBackend, maxAttempts, now = Date.now } = options;
  const waiting = new Map<JobId, Wish>();
  const running = new Map<JobId, { abort: AbortController; done: Promise<void> }>();
  let wakeQueued = false;
  let stopped = false;

  const unsubscribe = [
    events.on('job:queued', ({ job }) => {
      waiting.set(job.id, toWish(job));
      wake();
    }),
    events.on('job:finished', ({ job }) => waiting.delete(job.id)),
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
    for (const [id, wish] of waiting) {
      const candidates = fleet.backends.map((backend) => toCandidate(backend, wish));
      if (!candidates.some((candidate) => candidate.ready && candidate.freeSlots > 0)) return;
      const pick = pickBackend(wish, candidates);
      const backend = pick.ok ? fleet.find(pick.backend) : undefined;
      if (backend !== undefined) place(id, wish, backend);
    }
  }

  function toCandidate(backend: Backend, { workflow }: Wish): Candidate {
    const { name, state, definitions, slots } = backend;
    const runMs = runTimes.expect(workflow, name);
    let backlogMs = foreignPrompts(backend) * runMs;
    for (const slot of slots.values()) {
      const expected = runTimes.expect(slot.workflow, name);
      const elapsed = slot.executingSince === null ? 0 : now() - slot.executingSince;
      backlogMs += Math.max(0, expected - elapsed);
    }
    const ready = state.status === 'ready';
    return {
      name,
      ready,
      nodeClasses: definitions,
      freeSlots: slotsPerBackend - slots.size,
      backlogMs,
      runMs,
    };
  }

  /** Reserves the slot at the moment of the decision; everything slow comes after. */
  function place(id: JobId, { workflow }: Wish, backend: Backend): void {
    waiting.delete(id);
    const slot: SlotUse = { jobId: id, workflow, executingSince: null, submitted: false };
    backend.slots.set(id, slot);
    const abort = new AbortController();
    const done = attemptJob(id, backend, slot, abort.signal).catch((error: unknown) => {
      log.error({ jobId: id, backend: backend.name, err: error }, 'an attempt broke');
    });
    const entry = { abort, done };
    running.set(id, entry);
    void done.finally(() => {
      if (running.get(id) === entry) running.delete(id);
    });
  }

  async function attemptJob(id: JobId, backend: Backend, slot: SlotUse, signal: AbortSignal): Promise<void> {
    const promptId = randomUUID();
    const startedAt = now();
    let releasedAt: number | undefined;
    function releaseSlot(): void {
      if (releasedAt !== undefined) return;
      releasedAt = now();
      backend.slots.delete(id);
      events.emit('backend:capacity', { backend: backend.name });
    }
    try {
      const job = await ledger.apply(id, {
        type: 'assigned',
        backend: backend.name,
        promptId,
        at: startedAt,
      });
      if (job === undefined) return;
      const end = await deps
        .attempt({ job, backend, slot, promptId, signal, releaseSlot })
        .catch((error: unknown) => {
          log.error({ jobId: id, backend: backend.name, err: error }, 'an attempt failed unexpectedly');
          return {
            kind: 'execution-error',
            error: { code: 'internal', message: 'the bridge failed to run this job' },
          } as const;
        });
      releaseSlot();
      if (end.kind === 'succeeded' && slot.executingSince !== null) {
        runTimes.record(job.workflow, backend.name, (releasedAt ?? now()) - slot.executingSince);
      }
      await conclude(job, backend, end);
    } finally {
      releaseSlot();
    }
  }

  async function conclude(job: Job, backend: Backend, end: AttemptEnd): Promise<void> {
    const { id, attempt } = job;
    const at = now();
    if (end.kind === 'succeeded') {
      await ledger.apply(id, { type: 'succeeded', attempt, results: end.results, at });
      return;
    }
    const canceled = { type: 'canceled', attempt, reason: 'canceled', at } as const;
    if (end.kind === 'canceled') {
      // A shutdown aborts attempts too: then nobody asked for a cancel, and the job stays to be found again.
      const current = await ledger.get(id);
      if (current?.state.status === 'canceling') await ledger.apply(id, canceled);
      return;
    }
    if (end.kind === 'backend-lost') deps.probeSoon(backend.name);
    const decision = decideRetry(end, {
      attempt,
      maxAttempts,
      othersCanRunIt: othersCanRun(job, backend.name),
    });
    if (!decision.retry) {
      await ledger.apply(id, { type: 'failed', attempt, error: decision.error, at });
      return;
    }
    const reason = 'reason' in end ? end.reason : end.kind;
    events.emit('attempt:lost', { job, backend: backend.name, attempt, reason });
    const exclude = decision.exclude ? backend.name : null;
    const requeued = await ledger.apply(id, { type: 'requeued', attempt, exclude });
    // Refused when its owner gave it up meanwhile: then it ends here instead of running again.
    if (requeued === undefined) await ledger.apply(id, canceled);
  }

  function othersCanRun(job: Job, backend: string): boolean {
    const { nodeClasses, excluded } = toWish(job);
    return fleet.backends.some(
      ({ name, definitions }) =>
        name !== backend &&
        !excluded.includes(name) &&
        definitions !== undefined &&
        nodeClasses.every((classType) => definitions.has(classType)),
    );
  }

  return {
    queueLength: () => waiting.size,
    positionOf(id) {
      if (!waiting.has(id)) return undefined;
      let position = 0;
      for (const other of waiting.keys()) {
        if (other === id) return position;
        position += 1;
      }
      return undefined;
    },
    async cancel(id, reason) {
      const job = await ledger.apply(id, { type: 'cancel-requested', reason, at: now() });
      if (job?.state.status === 'canceling') running.get(id)?.abort.abort();
      return job;
    },
    async stop() {
      stopped = true;
      unsubscribe.forEach((off) => off());
      for (const { abort } of running.values()) abort.abort();
      await Promise.all([...running.values()].map(({ done }) => done));
    },
  };
}

function toWish(job: Job): Wish {
  const nodeClasses = [...new Set(Object.values(job.prompt).map((node) => node.class_type))];
  return { workflow: job.workflow, nodeClasses, excluded: job.excluded };
}
