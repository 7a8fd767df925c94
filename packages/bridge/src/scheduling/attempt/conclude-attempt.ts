import type { Backend, Fleet } from '../../backends/fleet.ts';
import type { BreakerEvent } from '../../backends/breaker.ts';
import { addSuspicions } from '../../backends/suspicions.ts';
import { unloadModels } from '../../backends/unload-models.ts';
import type { Events } from '../../events.ts';
import { countTries } from '../../jobs/job.ts';
import type { Job } from '../../jobs/job.ts';
import type { JobLedger } from '../../jobs/job-ledger.ts';
import type { Logger } from '../../logging.ts';
import type { RetryBudget } from './retry-budget.ts';
import { decideRetry } from './retry-policy.ts';
import type { AttemptFailure } from './retry-policy.ts';
import type { AttemptEnd } from './run-attempt.ts';

export interface ConcludeDeps {
  ledger: JobLedger;
  fleet: Fleet;
  events: Events;
  retryBudget: RetryBudget;
  probeSoon(backend: string): void;
  /** Whether a backend has what a job needs, as far as is known; however busy it is. */
  couldRun(backend: Backend, job: Job): boolean;
  log: Logger;
  now: () => number;
}

/** Writes down how an attempt ended, and with it what becomes of its job: done, ended, or back to the queue. */
export async function concludeAttempt(
  deps: ConcludeDeps,
  { job, backend, end }: { job: Job; backend: Backend; end: AttemptEnd },
  { maxAttempts }: { maxAttempts: number },
): Promise<void> {
  const { ledger, events, now } = deps;
  const { id, attempt } = job;
  const tries = countTries(job);
  const canceled = () => ({ type: 'canceled', attempt, reason: 'canceled', at: now() }) as const;
  switch (end.kind) {
    case 'released':
      return;
    case 'succeeded':
      await ledger.apply(id, { type: 'succeeded', attempt, results: end.results, at: now() });
      return;
    case 'canceled':
      await ledger.apply(id, canceled());
      return;
    default:
      break;
  }
  if (end.kind === 'backend-lost') deps.probeSoon(backend.name);
  // Before anybody else is placed there for the same.
  suspect(deps, backend, end);
  const others = findOthers(deps, job, backend, end);
  const decision = decideRetry(end, {
    attempt: tries,
    maxAttempts,
    movedFromThere: job.attempts.filter((one) => one.backend === backend.name && one.outcome === 'moved')
      .length,
    othersCanRunIt: others.some(({ fits }) => fits),
  });
  if (!decision.retry || !(decision.free === true || deps.retryBudget.spend())) {
    const { error } = decision;
    if ((await ledger.apply(id, { type: 'failed', attempt, error, at: now() })) !== undefined) return;
    await ledger.apply(id, canceled());
    return;
  }
  if (isOutOfMemory(end)) await freeMemory(deps, backend);
  const reason = 'reason' in end ? end.reason : end.kind;
  events.emit('attempt:lost', { job, backend: backend.name, attempt, kind: end.kind, reason });
  const tooSmall = others.filter(({ fits }) => !fits).map(({ name }) => name);
  const exclude = decision.exclude ? [backend.name, ...(isOutOfMemory(end) ? tooSmall : [])] : [];
  const requeued = await ledger.apply(id, {
    type: 'requeued',
    attempt,
    exclude,
    counts: decision.free !== true,
    at: now(),
  });
  // Refused when its owner gave it up meanwhile: then it ends here instead of running again.
  if (requeued === undefined) await ledger.apply(id, canceled());
}

/** What an attempt's end says of the backend, if anything. A prompt that is wrong in itself is no fault of the machine. */
export function toBreakerEvent(end: AttemptEnd, at: number): BreakerEvent | undefined {
  switch (end.kind) {
    case 'succeeded':
    case 'execution-error':
      return { type: 'attempt-ok' };
    case 'backend-lost':
    case 'timed-out':
    case 'result-refused':
      return { type: 'attempt-failed', at, stuck: end.kind === 'timed-out' && end.stuck };
    default:
      return undefined;
  }
}

function isOutOfMemory(end: AttemptFailure): boolean {
  return end.kind === 'execution-error' && end.error.code === 'out_of_memory';
}

/** Notes what the backend listed and did not have; whoever watches it then looks at it again. */
function suspect({ events, now }: ConcludeDeps, backend: Backend, end: AttemptFailure): void {
  const lacks = 'lacks' in end ? (end.lacks ?? []) : [];
  if (lacks.length === 0) return;
  backend.suspicions = addSuspicions(backend.suspicions, lacks, now());
  events.emit('backend:suspected', { backend: backend.name, lacks });
}

/** The other backends that could run the job and have not lost it yet; `fits` is false for those with no more memory. */
function findOthers(
  { fleet, couldRun }: ConcludeDeps,
  job: Job,
  backend: Backend,
  end: AttemptFailure,
): { name: string; fits: boolean }[] {
  const needsMore = isOutOfMemory(end);
  return fleet.backends
    .filter((other) => other !== backend && !job.excluded.includes(other.name) && couldRun(other, job))
    .map(({ name, memoryBytes }) => ({ name, fits: !needsMore || memoryBytes > backend.memoryBytes }));
}

async function freeMemory({ log }: ConcludeDeps, backend: Backend): Promise<void> {
  try {
    await unloadModels(backend);
  } catch (error) {
    log.debug({ backend: backend.name, err: error }, 'could not free a backend that ran out of memory');
  }
}
