import type { ApiPrompt, JobError, JobStatus, OutputType } from '@comfy-bridge/protocol';

declare const brand: unique symbol;
/** A UUID; also the public job id of every API. */
export type JobId = string & { readonly [brand]: 'JobId' };

/** An input of the prompt that names an uploaded file, to be staged on the backend before submitting. */
export interface StagedInput {
  nodeId: string;
  inputName: string;
  /** A saved name (`uploads/<name>`), or a default file that ships with the workflow. */
  source: StagedSource;
}

/** `assetId`: how the caller named it, when it did by an asset. */
export type StagedSource =
  | { kind: 'upload'; savedName: string; assetId?: string }
  | { kind: 'sample'; fileName: string };

/** A result file kept by the bridge under `results/<jobId>/<index>`. Its place among the others is that in the list. */
export interface JobResult {
  /** A UUID: the asset id of Comfy API v2. */
  id: string;
  /** Names the file: no other of the job has it, whatever attempt or process made that one. */
  index: number;
  nodeId: string;
  /** The name that the caller sees; cleaned. */
  fileName: string;
  contentType: string;
  type: OutputType;
  size: number;
  /** `blake3:<hex>` of the content; missing in results that an older version kept. */
  hash?: string;
}

/** One try of a job on one backend. */
export interface AttemptRecord {
  /** The backend's public name. */
  readonly backend: string;
  readonly promptId: string;
  /** ms since the epoch, all three */
  readonly startedAt: number;
  /** When the backend's worker took the prompt. */
  readonly executingAt: number | null;
  readonly endedAt: number | null;
  /** Null while it goes on. `moved`: it ended by no fault of anybody, and counts as no try. */
  readonly outcome: 'succeeded' | 'failed' | 'lost' | 'moved' | 'canceled' | null;
}

/**
 * One accepted request to run a workflow.
 *
 *   queued ──► running(staging → executing → collecting) ──► succeeded ──► expired
 *     ▲  │        │        │                                  failed   ──► expired
 *     │  │        │        └── attempt lost: back to queued, backend excluded
 *     └──┼────────┘
 *        └──► canceled ◄── canceling ◄── running
 *
 * One terminal state, exactly once. `attempt` is the fencing token: a change made by an older attempt is refused.
 */
export interface Job {
  readonly id: JobId;
  /** The compatibility API's handle; null for jobs of other APIs. */
  readonly clientId: string | null;
  /** How long it outlives its client's last socket, in ms; null: nobody listened, or it is kept for good. */
  readonly leaseMs: number | null;
  /** Who shares the fleet fairly with the others: jobs of one owner take turns with those of another. Null: nobody in common. */
  readonly owner: string | null;
  /** Whom it belongs to, and who may list it; null for jobs of before there were accounts. */
  readonly account: string | null;
  /** 0 is normal, more is sooner. */
  readonly priority: number;
  /** Whether previews are made although nobody may be listening yet. */
  readonly previews: boolean;
  /** Whether it came with keys for paid nodes: they are kept in memory only, so that a restart loses them. */
  readonly hasCredentials: boolean;
  /** The alias of a published workflow; `graph:<hash>` for a graph of the caller's own. */
  readonly workflow: string;
  readonly prompt: ApiPrompt;
  readonly stagedInputs: readonly StagedInput[];
  /** Nodes whose results are delivered; empty: all. */
  readonly outputNodes: readonly string[];
  /** ms since the epoch */
  readonly createdAt: number;
  readonly state: JobState;
  /** 0 before the first attempt; each new attempt adds one. */
  readonly attempt: number;
  /** The tries so far, oldest first; the last one is number `attempt`. */
  readonly attempts: readonly AttemptRecord[];
  /** The second run of its attempt, on an idle backend, while the first one takes far too long; null when there is none. */
  readonly hedge: { readonly backend: string; readonly promptId: string } | null;
  /** Counts the changes; the sequence numbers of the job's events follow from it. */
  readonly revision: number;
  /** Names of backends that lost an attempt of this job. */
  readonly excluded: readonly string[];
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  /** When the results had been sent completely. */
  readonly deliveredAt: number | null;
}

export type JobState =
  | { status: 'queued' }
  | { status: 'running'; phase: RunPhase; backend: string; promptId: string }
  | { status: 'canceling'; backend: string; promptId: string }
  | { status: 'succeeded'; results: readonly JobResult[] }
  | { status: 'failed'; error: JobError }
  | { status: 'canceled'; reason: string }
  | { status: 'expired' };

export type RunPhase = 'staging' | 'executing' | 'collecting';

/** What can happen to a job. Events of an attempt carry its number. */
export type JobChange =
  | { type: 'assigned'; backend: string; promptId: string; at: number }
  | { type: 'phase'; attempt: number; phase: RunPhase; at: number }
  /** A new process found the prompt still on its backend and goes on following it. */
  | { type: 'reattached'; attempt: number }
  /** `byHedge`: the second run was first. */
  | { type: 'succeeded'; attempt: number; results: readonly JobResult[]; at: number; byHedge?: boolean }
  | { type: 'hedged'; attempt: number; backend: string; promptId: string }
  | { type: 'failed'; attempt: number; error: JobError; at: number }
  | { type: 'requeued'; attempt: number; exclude: readonly string[]; counts: boolean; at: number }
  | { type: 'cancel-requested'; reason: string; at: number }
  | { type: 'canceled'; attempt: number; reason: string; at: number }
  | { type: 'reprioritized'; priority: number }
  | { type: 'delivered'; at: number }
  | { type: 'expired'; at: number };

export type Transition = { ok: true; job: Job } | { ok: false; reason: 'stale-attempt' | 'not-now' };

/** Marks a text as a job's id: there may be no such job. */
export function parseJobId(text: string): JobId {
  return text as JobId;
}

const maxAttempts = 100;

/** Tries that count against the limit. */
export function countTries(job: Job): number {
  return job.attempts.filter(({ outcome }) => outcome !== 'moved').length;
}

export function isTerminal(status: JobStatus): boolean {
  return status === 'succeeded' || status === 'failed' || status === 'canceled' || status === 'expired';
}

/** The whole life of a job: pure, no clock. A refused change means that somebody else was first. */
export function transition(job: Job, change: JobChange): Transition {
  if ('attempt' in change && change.attempt !== job.attempt) return { ok: false, reason: 'stale-attempt' };
  const next = apply(job, change);
  if (next === undefined) return { ok: false, reason: 'not-now' };
  const attempts = recordAttempts(job, change);
  return {
    ok: true,
    job: { ...next, attempts, hedge: hedgeAfter(next, change), revision: job.revision + 1 },
  };
}

/** It ends with the attempt that it belongs to. */
function hedgeAfter({ hedge, state }: Job, change: JobChange): Job['hedge'] {
  if (change.type === 'hedged') return { backend: change.backend, promptId: change.promptId };
  return state.status === 'running' || state.status === 'canceling' ? hedge : null;
}

/** The attempts after a change: a new one, or news of the last one. */
function recordAttempts({ attempts, hedge }: Job, change: JobChange): readonly AttemptRecord[] {
  if (change.type === 'assigned') {
    const { backend, promptId, at } = change;
    return [
      ...withRoom(attempts),
      { backend, promptId, startedAt: at, executingAt: null, endedAt: null, outcome: null },
    ];
  }
  const last = attempts.at(-1);
  if (change.type === 'succeeded' && change.byHedge === true && last !== undefined) {
    const { at } = change;
    const { backend, promptId } = hedge ?? last;
    const won = { ...last, backend, promptId, endedAt: at, outcome: 'succeeded' } as const;
    return [...attempts.slice(0, -1), { ...last, endedAt: at, outcome: 'moved' }, won];
  }
  if (last === undefined || last.outcome !== null) return attempts;
  const news = newsOf(last, change);
  return news === undefined ? attempts : [...attempts.slice(0, -1), { ...last, ...news }];
}

/** A job may be moved without end, as when owners take their machines back; the oldest of its moves are forgotten. */
function withRoom(attempts: readonly AttemptRecord[]): readonly AttemptRecord[] {
  const oldest =
    attempts.length < maxAttempts ? -1 : attempts.findIndex(({ outcome }) => outcome === 'moved');
  return oldest === -1 ? attempts : attempts.toSpliced(oldest, 1);
}

function newsOf(last: AttemptRecord, change: JobChange): Partial<AttemptRecord> | undefined {
  switch (change.type) {
    case 'phase':
      return change.phase === 'executing' && last.executingAt === null
        ? { executingAt: change.at }
        : undefined;
    case 'succeeded':
    case 'failed':
    case 'canceled':
      return { outcome: change.type, endedAt: change.at };
    case 'requeued':
      return { outcome: change.counts ? 'lost' : 'moved', endedAt: change.at };
    default:
      return undefined;
  }
}

function apply(job: Job, change: JobChange): Job | undefined {
  const { state } = job;
  const active = state.status === 'running' || state.status === 'canceling';
  switch (change.type) {
    case 'assigned':
      if (state.status !== 'queued') return undefined;
      return {
        ...job,
        attempt: job.attempt + 1,
        startedAt: change.at,
        state: { status: 'running', phase: 'staging', backend: change.backend, promptId: change.promptId },
      };
    case 'phase':
      if (state.status !== 'running') return undefined;
      return { ...job, state: { ...state, phase: change.phase } };
    case 'reattached':
      return state.status === 'running' ? job : undefined;
    case 'succeeded':
      // A result that arrives while canceling is kept: the work is done and harms nobody.
      if (!active) return undefined;
      return {
        ...job,
        attempt: change.byHedge === true ? job.attempt + 1 : job.attempt,
        finishedAt: change.at,
        state: { status: 'succeeded', results: change.results },
      };
    case 'hedged':
      return state.status === 'running' ? job : undefined;
    case 'failed':
      if (!active && state.status !== 'queued') return undefined;
      return { ...job, finishedAt: change.at, state: { status: 'failed', error: change.error } };
    case 'requeued':
      if (state.status !== 'running') return undefined;
      return {
        ...job,
        startedAt: null,
        excluded: [...new Set([...job.excluded, ...change.exclude])],
        state: { status: 'queued' },
      };
    case 'cancel-requested':
      if (state.status === 'queued') {
        return { ...job, finishedAt: change.at, state: { status: 'canceled', reason: change.reason } };
      }
      if (state.status !== 'running') return undefined;
      return { ...job, state: { status: 'canceling', backend: state.backend, promptId: state.promptId } };
    case 'canceled':
      if (!active) return undefined;
      return { ...job, finishedAt: change.at, state: { status: 'canceled', reason: change.reason } };
    case 'reprioritized':
      return isTerminal(state.status) ? undefined : { ...job, priority: change.priority };
    case 'delivered':
      return state.status === 'succeeded' ? { ...job, deliveredAt: change.at } : undefined;
    case 'expired':
      return isTerminal(state.status) && state.status !== 'expired'
        ? { ...job, state: { status: 'expired' } }
        : undefined;
  }
}
