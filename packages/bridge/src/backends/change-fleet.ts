import { BridgeError } from '../errors.ts';
import type { Events } from '../events.ts';
import { createKeyedMutex } from '../lib/keyed-mutex.ts';
import { checkServer, maxServers } from '../lib/server-address.ts';
import type { Logger } from '../logging.ts';
import { changeSettings } from './backend-settings.ts';
import type { BackendChange, NewBackend } from './backend-settings.ts';
import { defaultBackendSettings } from './fleet.ts';
import type { Backend, Fleet } from './fleet.ts';
import type { FleetRecords } from './fleet-records.ts';
import { freshStanding } from './standing.ts';
import type { Quarantine } from './standing.ts';

export interface FleetChangeDeps {
  fleet: Fleet;
  events: Events;
  records: FleetRecords;
  /** Whether an unfinished job is on that backend, its results being fetched included. */
  hasJobs(backend: string): boolean;
  /** Takes jobs back from a backend, to be done elsewhere: those that have not begun there, all, or even those that have run. */
  moveAway(backend: string, which: 'waiting' | 'all' | 'even-done'): void;
  /** A look at a backend now. */
  probeSoon(backend: string): void;
  log: Logger;
}

/**
 * What operators do to the fleet while the bridge runs. One change at a time, each kept before it takes effect. Refusals are
 * `BridgeError`s.
 */
export interface FleetChanges {
  add(wanted: NewBackend): Promise<Backend>;
  /** With mode `active` one that is leaving stays, and one that is quarantined is believed again. */
  change(name: string, change: BackendChange): Promise<Backend>;
  /** It gets nothing new, and leaves when its jobs are done; with `now` they are moved elsewhere first. */
  leave(name: string, options: { now: boolean }): Promise<Backend>;
  /** It gets no more jobs, at once, and those on it go elsewhere. Never rejects: what could not be kept holds until the next start. */
  quarantine(name: string, quarantine: Quarantine): Promise<void>;
  /** Goes on with what an earlier process had begun: once the jobs that it left on the backends are taken over. */
  resume(): void;
  close(): void;
}

const serverForm = {
  address: 'host:port, or a URL such as https://host:8188/base',
  token: 'a token goes into "token"',
};

export function createFleetChanges(deps: FleetChangeDeps): FleetChanges {
  const { fleet, events, records, log } = deps;
  const mutex = createKeyedMutex();
  let isLooking = false;
  let closed = false;

  /** One after the other: each is decided on what the one before has left. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    return mutex.run('fleet', work);
  }

  function find(name: string): Backend {
    const backend = fleet.find(name);
    if (backend === undefined) throw new BridgeError('not_found', 'there is no backend of that name');
    return backend;
  }

  async function add({ url, name = freeName(fleet), token, pin, ...given }: NewBackend): Promise<Backend> {
    const checked = checkServer({ name, url, token, pin }, serverForm);
    if (!checked.ok) throw new BridgeError('bad_request', `allowed for a backend: ${checked.allowed}`);
    const settings = changeSettings(defaultBackendSettings, given);
    const endpoint = {
      url: checked.url,
      ...(token !== undefined && { token }),
      ...(checked.pin !== undefined && { pin: checked.pin }),
    };
    const added = fleet.add({ name, endpoint, source: 'api', settings });
    if (!added.ok) throw toConflict(fleet, added.reason, { name, url: checked.url });
    const { backend } = added;
    try {
      await records.save(backend, { settings, isLeaving: false });
    } catch (error) {
      fleet.remove(name);
      throw error;
    }
    events.emit('backend:added', { backend: name });
    return backend;
  }

  async function change(name: string, { token, pin: asked, ...wanted }: BackendChange): Promise<Backend> {
    const backend = find(name);
    if (asked !== undefined && backend.source === 'config') throw configuredPin();
    const pin = typeof asked === 'string' ? readPin(backend, asked) : asked;
    const settings = changeSettings(backend.settings, wanted);
    const isLeaving = backend.isLeaving && settings.mode !== 'active';
    const isBelieved = wanted.mode === 'active' && backend.quarantine !== null;
    const lifted = isBelieved ? { quarantine: null } : {};
    await records.save(backend, { settings, isLeaving, token, pin, ...lifted });
    Object.assign(backend, { settings, isLeaving, ...lifted } satisfies Partial<Backend>);
    if (isBelieved) {
      backend.standing = freshStanding;
      events.emit('backend:believed', { backend: name });
    }
    if (token !== undefined || pin !== undefined) {
      fleet.changeCredentials(backend, { token, pin });
      deps.probeSoon(name);
    }
    log.info({ backend: name, ...settings }, 'backend settings changed');
    if (wanted.mode === 'paused') deps.moveAway(name, 'waiting');
    events.emit('backend:capacity', { backend: name });
    return backend;
  }

  /** Takes effect before it is kept, and whatever else is being kept: every job more is one too many. */
  async function quarantine(name: string, found: Quarantine): Promise<void> {
    const backend = fleet.find(name);
    if (backend === undefined || backend.quarantine !== null) return;
    backend.quarantine = found;
    events.emit('backend:quarantined', { backend: name, reason: found.reason });
    deps.moveAway(name, 'even-done');
    try {
      await inTurn(async () => {
        const { settings, isLeaving } = backend;
        if (fleet.find(name) === backend) await records.save(backend, { settings, isLeaving });
      });
    } catch (error) {
      log.error({ backend: name, err: error }, 'could not keep that a backend is quarantined');
    }
  }

  async function leave(name: string, { now }: { now: boolean }): Promise<Backend> {
    const backend = find(name);
    const { settings } = backend;
    const mode = settings.mode === 'active' ? 'draining' : settings.mode;
    const next = { settings: { ...settings, mode }, isLeaving: true } as const;
    // A configured one is back at the next start, as it was.
    if (backend.source === 'api') await records.save(backend, next);
    Object.assign(backend, next satisfies Partial<Backend>);
    log.info({ backend: name, now }, 'backend leaves the fleet');
    if (now) deps.moveAway(name, 'all');
    lookSoon();
    return backend;
  }

  function isDone(backend: Backend): boolean {
    return backend.isLeaving && backend.slots.size === 0 && !deps.hasJobs(backend.name);
  }

  async function removeIfDone(backend: Backend): Promise<void> {
    if (!isDone(backend) || fleet.find(backend.name) !== backend) return;
    try {
      await records.drop(backend);
    } catch (error) {
      // The next start finds it leaving, and goes on here.
      log.error({ backend: backend.name, err: error }, 'could not forget a backend that left the fleet');
    }
    fleet.remove(backend.name);
    events.emit('backend:removed', { backend: backend.name });
  }

  /** After the event that told of a change: others hear of it first. */
  function lookSoon(): void {
    if (isLooking || closed || !fleet.backends.some(({ isLeaving }) => isLeaving)) return;
    isLooking = true;
    queueMicrotask(() => {
      isLooking = false;
      for (const backend of fleet.backends.filter(isDone)) void inTurn(() => removeIfDone(backend));
    });
  }

  const unsubscribe = [
    events.on('backend:capacity', lookSoon),
    events.on('job:finished', lookSoon),
    events.on('job:queued', lookSoon),
  ];

  return {
    add: (wanted) => inTurn(() => add(wanted)),
    change: (name, wanted) => inTurn(() => change(name, wanted)),
    leave: (name, options) => inTurn(() => leave(name, options)),
    quarantine,
    resume() {
      for (const backend of fleet.backends) {
        if (backend.quarantine !== null) deps.moveAway(backend.name, 'even-done');
        else if (backend.settings.mode === 'paused') deps.moveAway(backend.name, 'waiting');
      }
      lookSoon();
    },
    close() {
      closed = true;
      unsubscribe.forEach((off) => off());
    },
  };
}

/** As it is compared. */
function readPin({ name, endpoint: { url } }: Backend, pin: string): string | undefined {
  const checked = checkServer({ name, url, token: undefined, pin }, serverForm);
  if (!checked.ok) throw new BridgeError('bad_request', `allowed for this backend: ${checked.allowed}`);
  return checked.pin;
}

/** Whoever reads the configuration must be able to rely on it: a pin that stands there is the one that is compared with. */
function configuredPin(): BridgeError {
  return new BridgeError(
    'conflict',
    'this backend is configured: change its pin in COMFYUI_SERVERS, where it holds from the next start on',
  );
}

function freeName({ backends, find }: Fleet): string {
  let number = backends.length + 1;
  while (find(`backend-${number}`) !== undefined) number += 1;
  return `backend-${number}`;
}

function toConflict(
  fleet: Fleet,
  reason: 'name-taken' | 'address-taken' | 'full',
  { name, url }: { name: string; url: string },
): BridgeError {
  switch (reason) {
    case 'name-taken': {
      const isLeaving = fleet.find(name)?.isLeaving === true;
      const detail = isLeaving ? ' by one that is about to leave: wait for that, or resume it' : '';
      return new BridgeError('conflict', `the name ${name} is taken${detail}`);
    }
    case 'address-taken': {
      const other = fleet.backends.find(({ endpoint }) => endpoint.url === url);
      return new BridgeError('conflict', `the fleet has this address already, as ${other?.name}`);
    }
    case 'full':
      return new BridgeError('conflict', `the fleet has ${maxServers} backends, and cannot have more`);
  }
}
