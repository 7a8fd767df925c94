import type { Events } from '../events.ts';
import type { Logger } from '../logging.ts';
import type { Fleet } from './fleet.ts';
import { watchBackend } from './watch-backend.ts';
import type { WatchOptions } from './watch-backend.ts';

export interface FleetWatch extends AsyncDisposable {
  /** A look at a backend that just failed us, now. */
  probeSoon(backend: string): void;
}

/** Watches every backend of the fleet; disposing ends that, and the clients with it. */
export function watchFleet(
  { fleet, events, log }: { fleet: Fleet; events: Events; log: Logger },
  options: WatchOptions,
): FleetWatch {
  const watches = new Map(
    fleet.backends.map((backend) => [backend.name, watchBackend({ backend, events, log }, options)]),
  );
  return {
    probeSoon: (backend) => watches.get(backend)?.probeSoon(),
    async [Symbol.asyncDispose]() {
      await Promise.all([...watches.values()].map((watch) => watch.stop()));
      await Promise.all(fleet.backends.map((backend) => backend.client.close()));
    },
  };
}
