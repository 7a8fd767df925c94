import type { BridgeJob } from '@comfy-bridge/protocol';
import { onScopeDispose, ref, shallowRef, watch } from 'vue';
import type { Ref, ShallowRef } from 'vue';

import { call } from '../../bridge/call.ts';
import { useBatched } from '../../state/batched.ts';
import { useLoaded } from '../../state/loading.ts';
import type { Loaded } from '../../state/loading.ts';
import { usePage } from '../../state/page.ts';
import { usePolling } from '../../state/polling.ts';
import { matches, pageSize, pathOf } from './job-filter.ts';
import type { JobFilter } from './job-filter.ts';
import { changeRows, idOf, isNewer } from './job-rows.ts';
import type { Row, RowEvent } from './job-rows.ts';

interface JobList {
  jobs: readonly BridgeJob[];
  next: string | null;
}

export interface JobRows {
  readonly loaded: Loaded<JobList>;
  /** As events change them. */
  readonly rows: Readonly<ShallowRef<readonly Row[]>>;
  /** Jobs that came since and are not shown yet. */
  readonly news: Readonly<Ref<number>>;
  /** Another page or another filter is being read. */
  readonly isTurning: Readonly<Ref<boolean>>;
}

const maxNews = 1_000;

/** One page of the list, as its jobs change. New ones are counted and not put in: what somebody reads does not move away. */
export function useJobRows(filter: Ref<JobFilter>, after: Ref<string>): JobRows {
  const page = usePage();
  const rows = shallowRef<readonly Row[]>([]);
  const newIds = new Set<string>();
  const news = ref(0);
  const isTurning = ref(false);
  /** What events told since the list was asked for: newer than the list. */
  const told = new Map<string, RowEvent>();
  let newest: readonly Row[] = [];

  const loaded = useLoaded(async (signal) => {
    told.clear();
    const path = pathOf(filter.value, after.value, Date.now());
    return await call<JobList>(path, { signal, deadlineMs: 20_000 });
  });
  const show = useBatched<'rows', readonly Row[]>((changes) => {
    rows.value = changes.get('rows') ?? rows.value;
  });

  watch(loaded.value, (list) => {
    newest = (list?.jobs ?? []).map((job) => ({ job, isGone: false }));
    for (const event of told.values()) newest = changeRows(newest, event);
    newIds.clear();
    news.value = 0;
    rows.value = newest;
  });
  watch([filter, after], () => {
    isTurning.value = true;
    void loaded.reload();
  });
  watch(loaded.isLoading, (isLoading) => {
    if (!isLoading) isTurning.value = false;
  });

  function take(event: RowEvent): void {
    if (loaded.isLoading.value && event.kind !== 'progress' && told.size < maxNews)
      told.set(`${event.kind}:${idOf(event)}`, event);
    const changed = changeRows(newest, event);
    if (changed === newest) {
      if (event.kind === 'job') notice(event.job);
      return;
    }
    newest = changed;
    show('rows', newest);
  }

  function notice(job: BridgeJob): void {
    if (after.value !== '' || newIds.has(job.id) || newIds.size >= maxNews) return;
    if (!matches(job, filter.value, Date.now()) || !isNewer(job, newest, pageSize)) return;
    newIds.add(job.id);
    // Nobody reads an empty list.
    if (newest.length === 0) void loaded.reload();
    else news.value = newIds.size;
  }

  const stops = [
    page.followAll(),
    page.on('hello', () => void loaded.reload()),
    page.on('job', (job) => take({ kind: 'job', job })),
    page.on('progress', (event) => take({ kind: 'progress', ...event })),
    page.on('queue', (event) => take({ kind: 'queue', ...event })),
    page.on('gone', (event) => take({ kind: 'gone', ...event })),
  ];
  onScopeDispose(() => stops.forEach((stop) => stop()));
  // With events there is no need to read again what is shown.
  usePolling(
    () => (page.live.value === 'open' ? Promise.resolve() : loaded.reload()),
    () => 5_000,
  );
  return { loaded, rows, news, isTurning };
}
