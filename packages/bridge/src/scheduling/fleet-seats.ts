import { settleBreaker, slotsAllowed } from '../backends/breaker.ts';
import { foreignPrompts } from '../backends/fleet.ts';
import type { Backend, Fleet } from '../backends/fleet.ts';
import { isPausedByOwner, roomAt } from '../backends/lending.ts';
import type { Seat } from '../placement/seat.ts';
import type { Experience } from './experience.ts';

/** The fleet as the placement policy sees it. */
export interface FleetSeats {
  /** Looks at every backend. The same list, with new contents, as long as the fleet has the same members. */
  refresh(): readonly Seat[];
  backendAt(index: number): Backend | undefined;
  indexOf(backend: Backend): number;
  /** When it is expected to be done with what it has, ms since the epoch; 0 when it has nothing. */
  endOf(backend: Backend): number;
  /** Changes whenever who is there, or who can run what, may have changed. */
  readonly epoch: number;
  /** Says that who can run what has changed, by something that is not seen on the backends. */
  invalidate(): void;
}

type MutableSeat = { -readonly [K in keyof Seat]: Seat[K] };

interface Watched {
  backend: Backend;
  seat: MutableSeat;
  /** What decides whether it can run something, as of the last look. */
  definitions: Backend['definitions'];
  suspicions: Backend['suspicions'];
  settings: Backend['settings'];
  usableMemoryBytes: number;
}

/** A foreign prompt of its owner is expected to take what jobs take there on average. */
const foreignWork = { workflow: '', sizeClass: 0, models: [] };
const nothing: ReadonlySet<string> = new Set();

export function createFleetSeats(
  { fleet, experience }: { fleet: Fleet; experience: Experience },
  { slotsPerBackend, now }: { slotsPerBackend: number; now: () => number },
): FleetSeats {
  let watched: Watched[] = [];
  let seats: readonly Seat[] = [];
  let epoch = 0;

  function isTrusted(backend: Backend): boolean {
    const { state, breaker, quarantine } = backend;
    return (
      state.status === 'ready' &&
      quarantine === null &&
      !isPausedByOwner(backend) &&
      settleBreaker(breaker, now()).state !== 'open'
    );
  }

  function isMember(): boolean {
    const { backends } = fleet;
    return (
      backends.length === watched.length && backends.every((backend, i) => watched[i]?.backend === backend)
    );
  }

  function rebuild(): void {
    epoch += 1;
    watched = fleet.backends.map((backend) => ({
      backend,
      seat: { name: backend.name, isReady: false, freeSlots: 0, freeAt: 0, warmModels: nothing, weight: 1 },
      definitions: undefined,
      suspicions: backend.suspicions,
      settings: backend.settings,
      usableMemoryBytes: backend.usableMemoryBytes,
    }));
    seats = watched.map(({ seat }) => seat);
  }

  /** When it will be done with what it has. */
  function endOf(backend: Backend, at: number): number {
    const foreign = foreignPrompts(backend);
    if (foreign === 0 && backend.slots.size === 0) return 0;
    let end = at + (foreign > 0 ? foreign * experience.costs.run(foreignWork, backend.name).ms : 0);
    for (const { executingSince, expectedMs } of backend.slots.values()) {
      const elapsed = executingSince === null ? 0 : at - executingSince;
      // One that takes longer than expected is likely to take as much longer again: a hanging machine is not waited for.
      end += Math.abs(expectedMs - elapsed);
    }
    return end;
  }

  function look(entry: Watched, at: number, trusted: number): void {
    const { backend, seat } = entry;
    const { state, settings, definitions, suspicions, usableMemoryBytes } = backend;
    const isLast = trusted === (isTrusted(backend) ? 1 : 0);
    const most = Math.min(slotsPerBackend, backend.lending?.maxQueue ?? slotsPerBackend);
    const slots = slotsAllowed(settleBreaker(backend.breaker, at), most, isLast);
    const isReady =
      state.status === 'ready' &&
      settings.mode === 'active' &&
      backend.quarantine === null &&
      !backend.isLeaving &&
      !isPausedByOwner(backend) &&
      roomAt(backend, at) === undefined &&
      definitions !== undefined &&
      slots > 0;
    if (
      isReady !== seat.isReady ||
      definitions !== entry.definitions ||
      suspicions !== entry.suspicions ||
      settings !== entry.settings ||
      Math.abs(usableMemoryBytes - entry.usableMemoryBytes) > 0.05 * entry.usableMemoryBytes
    ) {
      epoch += 1;
      Object.assign(entry, { definitions, suspicions, settings, usableMemoryBytes });
    }
    seat.isReady = isReady;
    seat.freeSlots = Math.max(0, slots - backend.slots.size);
    seat.freeAt = endOf(backend, at);
    seat.warmModels = lastModels(backend);
    seat.weight = settings.weight;
  }

  return {
    refresh() {
      if (!isMember()) rebuild();
      const at = now();
      let trusted = 0;
      for (const { backend } of watched) if (isTrusted(backend)) trusted += 1;
      for (const entry of watched) look(entry, at, trusted);
      return seats;
    },
    backendAt: (index) => watched[index]?.backend,
    endOf: (backend) => endOf(backend, now()),
    indexOf: (backend) => watched.findIndex((entry) => entry.backend === backend),
    get epoch() {
      return epoch;
    },
    invalidate() {
      epoch += 1;
    },
  };
}

/** What will be in its memory when it is done: what the last of our prompts there needs. A foreign prompt leaves it unknown. */
function lastModels(backend: Backend): ReadonlySet<string> {
  if (foreignPrompts(backend) > 0) return nothing;
  let models = backend.warmModels;
  for (const slot of backend.slots.values()) if (slot.models.size > 0) models = slot.models;
  return models;
}
