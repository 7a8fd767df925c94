import type { BridgeJob } from '@comfy-bridge/protocol';
import { onScopeDispose, reactive, shallowRef, watch } from 'vue';

import { CallError, call } from '../../bridge/call.ts';
import { usePage } from '../../state/page.ts';
import { appendPage, mergeJob } from './merge-jobs.ts';
import type { HistoryFilter } from './merge-jobs.ts';

interface JobPage {
  jobs: BridgeJob[];
  next: string | null;
}

const pageSize = 30;

/** One's own jobs, newest first, page by page, and kept as they are now. */
export function useHistory() {
  const page = usePage();
  const filter = reactive<HistoryFilter>({ status: '', workflow: '' });
  const jobs = shallowRef<readonly BridgeJob[]>();
  const next = shallowRef<string | null>(null);
  const error = shallowRef<CallError>();
  const isLoading = shallowRef(false);
  let running: AbortController | undefined;

  async function load(after: string | null): Promise<void> {
    running?.abort();
    const own = (running = new AbortController());
    isLoading.value = true;
    const query = new URLSearchParams({ owner: 'me', limit: String(pageSize) });
    if (filter.status !== '') query.set('status', filter.status);
    if (filter.workflow !== '') query.set('workflow', filter.workflow);
    if (after !== null) query.set('after', after);
    try {
      const found = await call<JobPage>(`api/bridge/jobs?${query}`, { signal: own.signal });
      if (own.signal.aborted) return;
      jobs.value = after === null ? found.jobs : appendPage(jobs.value ?? [], found.jobs);
      next.value = found.next;
      error.value = undefined;
    } catch (reason) {
      if (own.signal.aborted) return;
      error.value = reason instanceof CallError ? reason : new CallError(String(reason), 0);
    } finally {
      if (running === own) isLoading.value = false;
    }
  }

  const change = (apply: (list: readonly BridgeJob[]) => readonly BridgeJob[]) => {
    if (jobs.value !== undefined) jobs.value = apply(jobs.value);
  };
  const stops = [
    page.onOpen(() => void load(null)),
    page.on('job', (job) => change((list) => mergeJob(list, job, filter))),
    page.on('gone', ({ id }) => change((list) => list.filter((job) => job.id !== id))),
    page.on('progress', ({ id, progress }) =>
      change((list) => list.map((job) => (job.id === id ? { ...job, progress } : job))),
    ),
  ];
  onScopeDispose(() => {
    running?.abort();
    stops.forEach((stop) => stop());
  });
  watch(filter, () => {
    jobs.value = undefined;
    void load(null);
  });
  // Not only once the line is open: a list can be read where a stream is not let through.
  if (!isLoading.value) void load(null);
  return { filter, jobs, next, error, isLoading, loadMore: () => load(next.value), reload: () => load(null) };
}
