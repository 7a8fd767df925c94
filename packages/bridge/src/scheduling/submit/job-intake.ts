import { randomUUID } from 'node:crypto';

import type { Fleet } from '../../backends/fleet.ts';
import { BridgeError } from '../../errors.ts';
import { parseJobId } from '../../jobs/job.ts';
import type { Job, JobId } from '../../jobs/job.ts';
import type { JobLedger } from '../../jobs/job-ledger.ts';
import type { ClassifyJob } from '../classify-job.ts';
import { findObstacles } from '../find-obstacles.ts';
import type { BackendJudge } from '../judge-backend.ts';

export interface IntakeDeps {
  ledger: JobLedger;
  fleet: Fleet;
  classify: ClassifyJob;
  judge: BackendJudge;
  queueLength(): number;
  isDraining(): boolean;
  cancel(id: JobId, reason: string): Promise<Job | undefined>;
  /** How many unfinished jobs one owner may have; infinity: any number. */
  maxUnfinishedOf(owner: string): number;
  now: () => number;
}

export interface IntakeOptions {
  maxQueuedJobs: number;
  /** What a submit gets while no backend answers: a place in the queue, or a refusal. */
  whenNoBackend: 'queue' | 'refuse';
}

/** Everything that is known of a job before it is one. */
export type JobRequest = Pick<
  Job,
  | 'clientId'
  | 'leaseMs'
  | 'owner'
  | 'account'
  | 'priority'
  | 'previews'
  | 'hasCredentials'
  | 'workflow'
  | 'prompt'
  | 'stagedInputs'
  | 'outputNodes'
>;

export interface AcceptOptions {
  /** Whatever must be in place before anybody hears of the job. What it throws refuses the job. */
  prepare?: (job: Job, together: { of: number }) => Promise<void> | void;
}

/** The one way in for jobs of every API: who is refused, who gets a place, and that it is written down before it is told. */
export interface JobIntake {
  /** Refuses while the bridge stops; to be asked before anything costly is done for a request. */
  checkOpen(): void;
  /** Accepts all of them or none. Throws `queue_full`, `limited`, `no_backend`, and `no_capable_backend` with the obstacles. */
  accept(requests: readonly JobRequest[], options?: AcceptOptions): Promise<Job[]>;
}

/** Jobs of one request that are written together: one commit of the store for all of them. */
const storedAtOnce = 100;

export function createJobIntake(deps: IntakeDeps, options: IntakeOptions): JobIntake {
  const { ledger, fleet } = deps;
  /** Jobs that passed the check and are on their way into the store, and so into the queue. */
  let arriving = 0;
  /** The same of each owner. */
  const arrivingOf = new Map<string, number>();

  function checkCapacity(requests: readonly JobRequest[]): void {
    if (deps.queueLength() + arriving + requests.length > options.maxQueuedJobs) {
      throw new BridgeError(
        'queue_full',
        `the queue is full (${options.maxQueuedJobs} jobs wait): try again later`,
      );
    }
    checkOwners(requests);
    if (options.whenNoBackend === 'refuse' && fleet.ready().length === 0) {
      throw new BridgeError('no_backend', 'no ComfyUI is reachable at the moment: try again later');
    }
    for (const kind of new Set(requests.map(deps.classify))) {
      const obstacles = findObstacles({ fleet, judge: deps.judge }, kind);
      if (obstacles !== undefined) throw new BridgeError('no_capable_backend', obstacles, { retryAfter: 60 });
    }
  }

  function checkOwners(requests: readonly JobRequest[]): void {
    const wanted = countOwners(requests);
    for (const [owner, count] of wanted) {
      const limit = deps.maxUnfinishedOf(owner);
      if (limit === Infinity) continue;
      let unfinished = arrivingOf.get(owner) ?? 0;
      for (const job of ledger.unfinished()) if (job.owner === owner) unfinished += 1;
      if (unfinished + count > limit)
        throw new BridgeError(
          'limited',
          `${limit} unfinished jobs are as many as you may have: wait for some`,
        );
    }
  }

  function countArriving(requests: readonly JobRequest[], sign: 1 | -1): void {
    arriving += sign * requests.length;
    for (const [owner, count] of countOwners(requests)) {
      const left = (arrivingOf.get(owner) ?? 0) + sign * count;
      if (left > 0) arrivingOf.set(owner, left);
      else arrivingOf.delete(owner);
    }
  }

  async function store(request: JobRequest, prepare: AcceptOptions['prepare'], of: number): Promise<Job> {
    const job = toJob(request, deps.now());
    await prepare?.(job, { of });
    await ledger.submit(job);
    return job;
  }

  return {
    checkOpen() {
      if (deps.isDraining())
        throw new BridgeError('draining', 'the bridge is shutting down: try again in a moment');
    },
    async accept(requests, { prepare } = {}) {
      checkCapacity(requests);
      countArriving(requests, 1);
      const stored: Job[] = [];
      try {
        for (let at = 0; at < requests.length; at += storedAtOnce) {
          const some = requests.slice(at, at + storedAtOnce);
          const outcomes = await Promise.allSettled(
            some.map((request) => store(request, prepare, requests.length)),
          );
          stored.push(
            ...outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : [])),
          );
          const failed = outcomes.find((outcome) => outcome.status === 'rejected');
          if (failed !== undefined) throw failed.reason;
        }
        return stored;
      } catch (error) {
        // None of them was told: what is stored already is taken back.
        for (const { id } of stored.toReversed()) await deps.cancel(id, 'not accepted');
        throw error;
      } finally {
        countArriving(requests, -1);
      }
    },
  };
}

function countOwners(requests: readonly JobRequest[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { owner } of requests) if (owner !== null) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  return counts;
}

function toJob(request: JobRequest, createdAt: number): Job {
  return {
    id: parseJobId(randomUUID()),
    ...request,
    createdAt,
    state: { status: 'queued' },
    attempt: 0,
    attempts: [],
    hedge: null,
    revision: 0,
    excluded: [],
    startedAt: null,
    finishedAt: null,
    deliveredAt: null,
  };
}
