import type { BridgeJob } from '@comfy-bridge/protocol';
import { computed, onScopeDispose, ref, shallowRef } from 'vue';
import type { Ref } from 'vue';

import { call } from '../../bridge/call.ts';
import { useBatched } from '../../state/batched.ts';
import { useLoaded } from '../../state/loading.ts';
import type { Loaded } from '../../state/loading.ts';
import { usePage } from '../../state/page.ts';
import { usePolling } from '../../state/polling.ts';
import { eventsBetween, eventsOf, sortEvents } from './job-events.ts';
import type { JobEvent } from './job-events.ts';
import { changeJob, idOf } from './job-rows.ts';
import type { RowEvent } from './job-rows.ts';

export interface OneJob {
  readonly loaded: Loaded<BridgeJob>;
  readonly events: Readonly<Ref<readonly JobEvent[]>>;
  /** ms since the epoch, when the page saw it. */
  readonly collectingAt: Readonly<Ref<number | undefined>>;
  readonly isGone: Readonly<Ref<boolean>>;
}

const maxLiveEvents = 300;

/** One job, as it changes. Ends with the view that uses it. */
export function useJob(id: string): OneJob {
  const page = usePage();
  const liveEvents = shallowRef<readonly JobEvent[]>([]);
  const collectingAt = ref<number>();
  const isGone = ref(false);
  let newest: BridgeJob | undefined;

  const loaded = useLoaded(async (signal) => {
    const job = await call<BridgeJob>(`api/bridge/jobs/${encodeURIComponent(id)}`, {
      signal,
      deadlineMs: 15_000,
    });
    note(job);
    return job;
  });
  const show = useBatched<'job', BridgeJob>((changes) => {
    const job = changes.get('job');
    if (job !== undefined) loaded.set(job);
  });

  function note(job: BridgeJob): void {
    const found = newest === undefined ? [] : eventsBetween(newest, job, new Date().toISOString());
    if (found.some(({ key }) => key === 'event-collecting')) collectingAt.value = Date.now();
    if (newest !== undefined && newest.attempts.length !== job.attempts.length)
      collectingAt.value = undefined;
    if (found.length > 0) liveEvents.value = [...liveEvents.value, ...found].slice(-maxLiveEvents);
    newest = job;
  }
  function take(event: RowEvent): void {
    if (idOf(event) !== id) return;
    if (event.kind === 'gone') isGone.value = true;
    if (newest === undefined) return;
    note(changeJob(newest, event));
    show('job', newest);
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
  usePolling(
    () =>
      newest?.finished === true || isGone.value || loaded.error.value?.status === 404
        ? Promise.resolve()
        : loaded.reload(),
    () => (page.live.value === 'open' ? 15_000 : 2_000),
  );
  const events = computed(() => {
    const job = loaded.value.value;
    return job === undefined ? [] : sortEvents([...eventsOf(job), ...liveEvents.value]);
  });
  return { loaded, events, collectingAt, isGone };
}
