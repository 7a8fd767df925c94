import type { BridgeJob, BridgeStreamEvents, V2Job } from '@comfy-bridge/protocol';

/** A job as the page shows it. */
export interface ShownJob {
  readonly job: BridgeJob;
  /** The newest preview picture, as a `data:` URL. */
  readonly preview: string | undefined;
}

export interface MyJobs {
  /** By id. */
  readonly jobs: ReadonlyMap<string, ShownJob>;
  /** Ids that an event told of since the list was asked for: those are newer than the list. */
  readonly touched: ReadonlySet<string>;
  /** Whether the list has come at least once. */
  readonly isRead: boolean;
}

export type MyJobsAction =
  | { kind: 'reading' }
  | { kind: 'list'; jobs: readonly BridgeJob[] }
  | { kind: 'submitted'; job: V2Job; workflow: string }
  | { kind: 'job'; job: BridgeJob }
  | { kind: 'progress'; event: BridgeStreamEvents['progress'] }
  | { kind: 'queue'; event: BridgeStreamEvents['queue'] }
  | { kind: 'preview'; event: BridgeStreamEvents['preview'] }
  | { kind: 'gone'; id: string };

export const noJobs: MyJobs = { jobs: new Map(), touched: new Set(), isRead: false };

/** More than a page shows at a time; the oldest go first. */
const maxJobs = 200;

export function reduceMyJobs(state: MyJobs, action: MyJobsAction): MyJobs {
  switch (action.kind) {
    case 'reading':
      return { ...state, touched: new Set() };
    case 'list':
      return takeList(state, action.jobs);
    case 'submitted':
      // An event of it may have been faster than the answer.
      return state.jobs.has(action.job.id)
        ? state
        : put(state, { job: toBridgeJob(action.job, action.workflow), preview: undefined });
    case 'job':
      return put(state, {
        job: action.job,
        preview: isOver(action.job) ? undefined : state.jobs.get(action.job.id)?.preview,
      });
    case 'progress':
      return change(state, action.event.id, (shown) => ({
        ...shown,
        job: { ...shown.job, progress: action.event.progress, eta: action.event.eta },
      }));
    case 'queue': {
      const { id, ...place } = action.event;
      return change(state, id, (shown) => ({ ...shown, job: { ...shown.job, ...place } }));
    }
    case 'preview': {
      const { id, content_type: contentType, data } = action.event;
      const isPicture = /^image\/(png|jpeg|webp|gif)$/.test(contentType);
      return isPicture
        ? change(state, id, (shown) => ({ ...shown, preview: `data:${contentType};base64,${data}` }))
        : state;
    }
    case 'gone': {
      const jobs = new Map(state.jobs);
      jobs.delete(action.id);
      return { ...state, jobs };
    }
  }
}

/** Newest first. */
export function sortJobs({ jobs }: MyJobs): readonly ShownJob[] {
  return [...jobs.values()].sort(
    (a, b) => b.job.created_at.localeCompare(a.job.created_at) || (a.job.id < b.job.id ? 1 : -1),
  );
}

export function isOver({ status }: Pick<BridgeJob, 'status'>): boolean {
  return status !== 'queued' && status !== 'running' && status !== 'canceling';
}

/** What the list lacks is gone, but for what happened since it was asked for and what lies beyond its end. */
function takeList(state: MyJobs, list: readonly BridgeJob[]): MyJobs {
  const jobs = new Map<string, ShownJob>();
  const oldest = list.at(-1)?.created_at ?? '';
  for (const [id, shown] of state.jobs)
    if (state.touched.has(id) || (shown.job.created_at < oldest && isOver(shown.job))) jobs.set(id, shown);
  for (const job of list) {
    if (jobs.has(job.id)) continue;
    const preview = isOver(job) ? undefined : state.jobs.get(job.id)?.preview;
    jobs.set(job.id, { job, preview });
  }
  return { jobs, touched: state.touched, isRead: true };
}

function put(state: MyJobs, shown: ShownJob): MyJobs {
  const jobs = new Map(state.jobs).set(shown.job.id, shown);
  const touched = new Set(state.touched).add(shown.job.id);
  if (jobs.size > maxJobs) {
    const oldest = sortJobs({ ...state, jobs }).at(-1);
    if (oldest !== undefined) jobs.delete(oldest.job.id);
  }
  return { ...state, jobs, touched };
}

/** Of a job that is still to come to an end: what is late changes nothing. */
function change(state: MyJobs, id: string, toNew: (shown: ShownJob) => ShownJob): MyJobs {
  const shown = state.jobs.get(id);
  if (shown === undefined || isOver(shown.job)) return state;
  return { ...state, jobs: new Map(state.jobs).set(id, toNew(shown)) };
}

/** What a submit answers, until the first event tells the rest. */
function toBridgeJob(job: V2Job, workflow: string): BridgeJob {
  return {
    ...job,
    workflow,
    client_id: null,
    priority: 0,
    eta: null,
    phase: null,
    waits_because: null,
    attempts: [],
    timings: { queue_ms: null, run_ms: null, delivery_ms: null },
    delivered_at: null,
    finished: false,
    inputs_summary: null,
  };
}
