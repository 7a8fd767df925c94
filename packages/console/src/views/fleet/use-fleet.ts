import { onScopeDispose } from 'vue';

import { call } from '../../bridge/call.ts';
import { useBatched } from '../../state/batched.ts';
import { useLoaded } from '../../state/loading.ts';
import type { Loaded } from '../../state/loading.ts';
import { usePage } from '../../state/page.ts';
import { usePolling } from '../../state/polling.ts';
import type { FleetBackend } from './fleet-backend.ts';

const withEventsMs = 20_000;
const withoutEventsMs = 4_000;
/** Without events nobody tells that the last job of one that leaves is done. */
const whileLeavingMs = 1_500;

/** All backends, as they change. Ends with the view that uses it. */
export function useFleet(): Loaded<readonly FleetBackend[]> {
  const page = usePage();
  /** What events told since the list was asked for: newer than the list. */
  const told = new Map<string, Partial<FleetBackend>>();
  const loaded = useLoaded(async (signal) => {
    told.clear();
    const all = await call<readonly FleetBackend[]>('api/bridge/backends', { signal, deadlineMs: 15_000 });
    return all.map((backend) => ({ ...backend, ...told.get(backend.name) }));
  });

  const show = useBatched<string, Partial<FleetBackend>>((changes) => {
    const known = loaded.value.value;
    if (known === undefined) return;
    const names = new Set(known.map(({ name }) => name));
    if ([...changes.keys()].some((name) => !names.has(name))) void loaded.reload();
    loaded.set(known.map((backend) => ({ ...backend, ...changes.get(backend.name) })));
  });
  function put(backend: Partial<FleetBackend> & { name: string }): void {
    if (loaded.isLoading.value) told.set(backend.name, backend);
    show(backend.name, backend);
  }

  const stops = [
    page.followAll(),
    page.on('hello', () => void loaded.reload()),
    page.on('backend', put),
    page.on('backend_gone', () => void loaded.reload()),
  ];
  onScopeDispose(() => stops.forEach((stop) => stop()));
  usePolling(loaded.reload, () => {
    if (loaded.value.value?.some(({ status }) => status === 'leaving') === true) return whileLeavingMs;
    return page.live.value === 'open' ? withEventsMs : withoutEventsMs;
  });
  return loaded;
}
