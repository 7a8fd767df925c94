import type { Backend, Fleet } from '../backends/fleet.ts';
import type { Events } from '../events.ts';
import type { AttemptRecord, Job } from '../jobs/job.ts';

/** How runs on a backend ended within the last day. Jobs that were canceled or moved say nothing of it. */
export interface EndedRuns {
  succeeded: number;
  failed: number;
  lost: number;
  /** From when on they are counted, ms since the epoch. */
  since: number;
}

export interface BackendError {
  /** ms since the epoch */
  at: number;
  reason: string;
  /** Null when it was about the machine itself. */
  jobId: string | null;
}

export interface ActivitySample {
  /** ms since the epoch */
  at: number;
  /** bytes; null while unknown */
  memoryUsedBytes: number | null;
  memoryTotalBytes: number | null;
  /** Prompts in its queue, everybody's. */
  queue: number;
  /** Jobs of ours that it works on. */
  running: number;
}

/** What each backend has done lately, in memory: nothing of it is asked of the machines, and nothing decides by it. */
export interface FleetHistory extends Disposable {
  endedRuns(backend: string): EndedRuns;
  /** The newest first. */
  lastErrors(backend: string): readonly BackendError[];
  /** Of the last hour, oldest first. */
  samples(backend: string): readonly ActivitySample[];
  readonly sampleMs: number;
  /** Counts what an earlier process has seen. */
  remember(jobs: readonly Job[], options: { isAll: boolean }): void;
  /** Notes how every backend stands now; called in rounds. */
  sample(): void;
}

const dayMs = 24 * 60 * 60_000;
/** Runs are counted in parts of a day, so that the day moves on. */
const partMs = 15 * 60_000;
const maxErrors = 10;
const maxReasonLength = 300;
const maxSamples = 360;

type Outcome = 'succeeded' | 'failed' | 'lost';

interface Known {
  /** By their beginning, ms since the epoch. */
  parts: Map<number, Record<Outcome, number>>;
  errors: BackendError[];
  samples: ActivitySample[];
}

export function createFleetHistory(
  { fleet, events, now }: { fleet: Pick<Fleet, 'backends'>; events: Events; now: () => number },
  { sampleMs = 10_000 }: { sampleMs?: number } = {},
): FleetHistory {
  const known = new Map<string, Known>();
  const startedAt = now();
  let since = startedAt;
  /** Why the last run of a job was lost, until its job says so. */
  const reasons = new Map<string, string>();

  function of(backend: string): Known {
    const found = known.get(backend) ?? { parts: new Map(), errors: [], samples: [] };
    known.set(backend, found);
    return found;
  }

  function count({ backend, outcome, endedAt }: AttemptRecord): void {
    if (outcome !== 'succeeded' && outcome !== 'failed' && outcome !== 'lost') return;
    if (endedAt === null || endedAt <= now() - dayMs) return;
    const { parts } = of(backend);
    const begin = endedAt - (endedAt % partMs);
    const part = parts.get(begin) ?? { succeeded: 0, failed: 0, lost: 0 };
    part[outcome] += 1;
    parts.set(begin, part);
    for (const old of parts.keys()) if (old <= now() - dayMs - partMs) parts.delete(old);
  }

  function noteError(backend: string, error: BackendError): void {
    const { errors } = of(backend);
    errors.unshift({ ...error, reason: error.reason.slice(0, maxReasonLength) });
    errors.length = Math.min(errors.length, maxErrors);
  }

  function onEnd({ job }: { job: Job }): void {
    const last = job.attempts.at(-1);
    const reason = reasons.get(job.id);
    reasons.delete(job.id);
    if (last === undefined || last.endedAt === null) return;
    count(last);
    const at = last.endedAt;
    if (last.outcome === 'lost')
      noteError(last.backend, { at, reason: reason ?? 'the run was lost', jobId: job.id });
    if (last.outcome === 'failed' && job.state.status === 'failed')
      noteError(last.backend, { at, reason: job.state.error.message, jobId: job.id });
  }

  function sampleOf(backend: Backend, at: number): ActivitySample {
    const { state, memoryBytes, machine, queueRemaining, slots } = backend;
    const isKnown = state.status === 'ready' && memoryBytes > 0 && machine !== undefined;
    return {
      at,
      memoryUsedBytes: isKnown ? Math.max(0, memoryBytes - machine.freeMemoryBytes) : null,
      memoryTotalBytes: memoryBytes > 0 ? memoryBytes : null,
      queue: queueRemaining,
      running: [...slots.values()].filter(({ executingSince }) => executingSince !== null).length,
    };
  }

  function sample(backends: readonly Backend[] = fleet.backends): void {
    const at = now();
    for (const backend of backends) {
      const { samples } = of(backend.name);
      samples.push(sampleOf(backend, at));
      if (samples.length > maxSamples) samples.shift();
    }
  }

  const timer = setInterval(() => sample(), sampleMs).unref();
  const unsubscribe = [
    events.on('attempt:lost', ({ job, reason }) => void reasons.set(job.id, reason)),
    // Told after a run was lost, too.
    events.on('job:queued', onEnd),
    events.on('job:finished', onEnd),
    events.on('backend:lost', ({ backend, reason }) => {
      noteError(backend, { at: now(), reason, jobId: null });
    }),
    events.on('backend:ready', ({ backend }) => {
      sample(fleet.backends.filter(({ name }) => name === backend));
    }),
    // Its name may come back for another machine.
    events.on('backend:removed', ({ backend }) => void known.delete(backend)),
  ];

  return {
    sampleMs,
    sample: () => sample(),
    endedRuns(backend) {
      // A whole part at a time: what is told of a machine that does nothing stays the same.
      const first = Math.ceil((now() - dayMs) / partMs) * partMs;
      const runs = { succeeded: 0, failed: 0, lost: 0, since: Math.max(since, first) };
      for (const [begin, part] of known.get(backend)?.parts ?? []) {
        if (begin < first) continue;
        for (const outcome of ['succeeded', 'failed', 'lost'] as const) runs[outcome] += part[outcome];
      }
      return runs;
    },
    lastErrors: (backend) => known.get(backend)?.errors ?? [],
    samples: (backend) => known.get(backend)?.samples ?? [],
    remember(jobs, { isAll }) {
      for (const { attempts } of jobs)
        for (const attempt of attempts)
          // What ended since has been told.
          if (attempt.endedAt !== null && attempt.endedAt < startedAt) count(attempt);
      const oldest = jobs.at(-1)?.createdAt ?? startedAt;
      since = isAll ? startedAt - dayMs : Math.min(startedAt, oldest);
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      unsubscribe.forEach((off) => off());
    },
  };
}
