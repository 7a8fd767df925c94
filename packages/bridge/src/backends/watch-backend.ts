import type { ObjectInfoReader } from '../comfy/object-info-reader.ts';
import type { Events } from '../events.ts';
import type { Gate } from '../lib/gate.ts';
import { createRunningState } from '../lib/running-state.ts';
import type { Logger } from '../logging.ts';
import { probeDelayMs, transitionBackend } from './backend.ts';
import { defaultBreakerLimits, transitionBreaker } from './breaker.ts';
import type { Backend } from './fleet.ts';
import { createLendingLook } from './look-at-lending.ts';
import { watchOffer } from './watch-offer.ts';

export interface WatchOptions {
  probeIntervalMs: number;
  probeTimeoutMs: number;
  /** How often a backend that stays up is asked whether its owner installed models, or another version. */
  refreshMs?: number;
  /** How often a backend that stays up is asked for its memory. */
  statsMs?: number;
  maxProbeDelayMs?: number;
  now?: () => number;
}

export interface BackendWatch {
  /** Looks again at once, because something passive (a cut socket, a refused call) says that the picture is old. */
  probeSoon(): void;
  /** Asks again for everything that it offers, because it did not have something that it lists. */
  refreshSoon(): void;
  stop(): Promise<void>;
}

export interface WatchDeps {
  backend: Backend;
  events: Events;
  log: Logger;
  reader: ObjectInfoReader;
  gate: Gate;
}

/**
 * Keeps one backend's picture fresh, off the path of any request: `GET /prompt` at an interval (cheap: one number), and what
 * it offers beside that. One that hangs costs this loop its time-out and nobody else anything.
 */
export function watchBackend(
  { backend, events, log, reader, gate }: WatchDeps,
  {
    probeIntervalMs,
    probeTimeoutMs,
    refreshMs = 60_000,
    statsMs = 10_000,
    maxProbeDelayMs = 4_000,
    now = Date.now,
  }: WatchOptions,
): BackendWatch {
  const running = createRunningState();
  const { signal } = running;
  const offer = watchOffer(
    { backend, events, log, reader, gate },
    { refreshMs, statsMs, timeoutMs: probeTimeoutMs, signal, now },
  );
  const lending = createLendingLook({ backend, events, log }, { now });

  async function probe(): Promise<void> {
    const before = backend.state;
    try {
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(probeTimeoutMs)]);
      const knownBefore = backend.queueRemaining;
      const isThere = before.status === 'ready';
      const [answered] = await Promise.all([
        backend.client.queueRemaining(deadline),
        isThere && lending.look(deadline),
      ]);
      if (!isThere) await appear();
      if (!running.shouldRun()) return;
      // A socket that told another number meanwhile was later.
      const queueRemaining = backend.queueRemaining === knownBefore ? answered : backend.queueRemaining;
      const shorter = queueRemaining < backend.queueRemaining;
      backend.queueRemaining = queueRemaining;
      backend.state = transitionBackend(backend.state, { type: 'probe-ok', at: now() });
      if (before.status !== 'ready') {
        backend.breaker = transitionBreaker(backend.breaker, { type: 'returned' }, defaultBreakerLimits);
        announceReady();
      } else if (shorter) events.emit('backend:capacity', { backend: backend.name });
      offer.tick();
    } catch (error) {
      if (!running.shouldRun()) return;
      const reason = error instanceof Error ? error.message : String(error);
      backend.state = transitionBackend(backend.state, { type: 'probe-failed', at: now(), reason });
      log.debug({ backend: backend.name, err: error }, 'probe failed');
      if (before.status !== 'lost') events.emit('backend:lost', { backend: backend.name, reason });
    }
  }

  async function appear(): Promise<void> {
    lending.reset();
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(probeTimeoutMs)]);
    await Promise.all([offer.appear(), lending.look(deadline)]);
  }

  function announceReady(): void {
    const { name, version, definitions } = backend;
    events.emit('backend:ready', { backend: name, version, nodeClasses: definitions?.size ?? 0 });
    events.emit('backend:capacity', { backend: name });
  }

  async function run(): Promise<void> {
    while (running.shouldRun()) {
      await probe();
      await running.sleep(probeDelayMs(backend.state, probeIntervalMs, maxProbeDelayMs));
    }
  }

  const done = run();
  return {
    probeSoon: () => running.wake(),
    refreshSoon: () => {
      offer.refreshSoon();
      running.wake();
    },
    async stop() {
      running.stop();
      await done;
      await offer.settled();
    },
  };
}
