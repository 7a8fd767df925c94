import { createObjectInfoReader } from '../comfy/object-info-reader.ts';
import type { Events } from '../events.ts';
import { createGate } from '../lib/gate.ts';
import type { Logger } from '../logging.ts';
import type { Backend, Fleet } from './fleet.ts';
import { watchBackend } from './watch-backend.ts';
import type { BackendWatch, WatchOptions } from './watch-backend.ts';

export interface FleetWatch extends AsyncDisposable {
  /** A look at a backend that just failed us, now. */
  probeSoon(backend: string): void;
  /** What a backend offers is fetched again, as soon as that is not too much of its time. */
  refreshSoon(backend: string): void;
}

/** Backends whose whole offer is on its way or being read: so many times tens of megabytes are in memory. */
const fetchesAtOnce = { limit: 4, patienceMs: 5_000 };

/** A backend that left has no jobs, but calls to it may be under way: prompts are taken out of its history, or canceled. */
const lingerMs = 10_000;

/** Watches every backend while it is in the fleet; disposing ends that, and the clients with it. */
export function watchFleet(
  { fleet, events, log }: { fleet: Fleet; events: Events; log: Logger },
  options: WatchOptions,
): FleetWatch {
  const reader = createObjectInfoReader({
    onLost: (err) => log.warn({ err }, 'the thread that reads what backends offer ended'),
  });
  const gate = createGate(fetchesAtOnce);
  const watches = new Map<string, { backend: Backend; watch: BackendWatch }>();
  const gone = new Map<Backend, NodeJS.Timeout>();

  function watch(backend: Backend): void {
    const deps = { backend, events, log, reader, gate };
    watches.set(backend.name, { backend, watch: watchBackend(deps, options) });
  }

  function refreshSoon(name: string): void {
    watches.get(name)?.watch.refreshSoon();
  }

  async function close(backend: Backend): Promise<void> {
    clearTimeout(gone.get(backend));
    gone.delete(backend);
    await backend.client.close();
  }

  async function unwatch(name: string): Promise<void> {
    const watched = watches.get(name);
    if (watched === undefined) return;
    watches.delete(name);
    const { backend } = watched;
    gone.set(
      backend,
      setTimeout(() => {
        close(backend).catch((error: unknown) => log.warn({ backend: name, err: error }, 'could not close'));
      }, lingerMs).unref(),
    );
    await watched.watch.stop();
  }

  fleet.backends.forEach(watch);
  const unsubscribe = [
    events.on('backend:added', ({ backend: name }) => {
      const backend = fleet.find(name);
      if (backend !== undefined) watch(backend);
    }),
    events.on('backend:suspected', ({ backend }) => refreshSoon(backend)),
    events.on('backend:removed', ({ backend }) => void unwatch(backend)),
  ];
  return {
    probeSoon: (backend) => watches.get(backend)?.watch.probeSoon(),
    refreshSoon,
    async [Symbol.asyncDispose]() {
      unsubscribe.forEach((off) => off());
      const watched = [...watches.values()];
      await Promise.all(watched.map(({ watch }) => watch.stop()));
      await Promise.all([...watched.map(({ backend }) => backend), ...gone.keys()].map(close));
      await reader[Symbol.asyncDispose]();
    },
  };
}
