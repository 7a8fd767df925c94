import type { BridgeJob, V2Job } from '@comfy-bridge/protocol';
import { computed, onScopeDispose, ref, shallowRef } from 'vue';
import type { ComputedRef, Ref } from 'vue';

import { CallError, call } from '../bridge/call.ts';
import { isOver, noJobs, reduceMyJobs, sortJobs } from './my-jobs-reducer.ts';
import type { MyJobsAction, ShownJob } from './my-jobs-reducer.ts';
import { usePage } from './page.ts';

export interface MyJobsOfWorkflow {
  /** Newest first; without what was removed from view. */
  readonly jobs: ComputedRef<readonly ShownJob[]>;
  /** Whether the list has come at least once. */
  readonly isRead: ComputedRef<boolean>;
  /** Why the list cannot be read; undefined when it can. */
  readonly error: Readonly<Ref<CallError | undefined>>;
  reload(): Promise<void>;
  /** Shows what a submit answered, at once. */
  add(job: V2Job): void;
  /** Throws `CallError`. */
  cancel(id: string): Promise<void>;
  /** Takes an ended job out of view, in this tab. */
  hide(id: string): void;
}

/** Jobs of a workflow that the page shows from the start; older ones are under "My results". */
const listed = 20;
/** How often is asked while there are unfinished jobs and no line on which their events would come. */
const askAgainMs = 3_000;
const hiddenKey = 'comfy-bridge.hidden-jobs';
const maxHidden = 500;

/** The caller's own jobs of one workflow, kept up to date until the view ends. */
export function useMyJobs(workflow: string): MyJobsOfWorkflow {
  const page = usePage();
  const state = shallowRef(noJobs);
  const error = shallowRef<CallError>();
  const hidden = ref(readHidden());
  let reading: AbortController | undefined;

  const apply = (action: MyJobsAction) => {
    state.value = reduceMyJobs(state.value, action);
  };

  async function reload(): Promise<void> {
    reading?.abort();
    const own = (reading = new AbortController());
    apply({ kind: 'reading' });
    try {
      const query = new URLSearchParams({ owner: 'me', workflow, limit: String(listed) });
      const { jobs } = await call<{ jobs: BridgeJob[] }>(`api/bridge/jobs?${query}`, { signal: own.signal });
      apply({ kind: 'list', jobs });
      error.value = undefined;
    } catch (reason) {
      if (own.signal.aborted) return;
      error.value = reason instanceof CallError ? reason : new CallError(String(reason), 0);
    }
  }

  const stops = [
    page.onOpen(() => void reload()),
    page.on('job', (job) => {
      if (job.workflow === workflow) apply({ kind: 'job', job });
    }),
    page.on('progress', (event) => apply({ kind: 'progress', event })),
    page.on('queue', (event) => apply({ kind: 'queue', event })),
    page.on('preview', (event) => apply({ kind: 'preview', event })),
    page.on('gone', ({ id }) => apply({ kind: 'gone', id })),
  ];
  const timer = setInterval(() => {
    const isLive = page.live.value === 'open';
    const isWaiting = [...state.value.jobs.values()].some(({ job }) => !isOver(job));
    if (!isLive && (isWaiting || !state.value.isRead)) void reload();
  }, askAgainMs);
  onScopeDispose(() => {
    clearInterval(timer);
    reading?.abort();
    for (const stop of stops) stop();
  });
  if (page.live.value !== 'open') void reload();

  return {
    jobs: computed(() => sortJobs(state.value).filter(({ job }) => !hidden.value.includes(job.id))),
    isRead: computed(() => state.value.isRead),
    error,
    reload,
    add: (job) => apply({ kind: 'submitted', job, workflow }),
    async cancel(id) {
      await call(`api/v2/jobs/${id}/cancel`, { method: 'POST' });
      const job = await call<BridgeJob>(`api/bridge/jobs/${id}`);
      apply({ kind: 'job', job });
    },
    hide(id) {
      hidden.value = [...hidden.value, id].slice(-maxHidden);
      keepHidden(hidden.value);
    },
  };
}

function readHidden(): readonly string[] {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(hiddenKey) ?? '[]');
    return Array.isArray(kept) ? kept.filter((id) => typeof id === 'string') : [];
  } catch {
    return [];
  }
}

function keepHidden(ids: readonly string[]): void {
  try {
    sessionStorage.setItem(hiddenKey, JSON.stringify(ids));
  } catch {
    // Storage is off: it holds until the page is closed.
  }
}
