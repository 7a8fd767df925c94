import type { Events } from '../events.ts';
import { createRunningState } from '../lib/running-state.ts';
import type { Logger } from '../logging.ts';
import { probeDelayMs, transitionBackend } from './backend.ts';
import { defaultBreakerLimits, transitionBreaker } from './breaker.ts';
import type { Backend } from './fleet.ts';

export interface WatchOptions {
  probeIntervalMs: number;
  probeTimeoutMs: number;
  /** How often `/object_info` is asked again while a backend stays up: its owner may install nodes or models. */
  refreshMs?: number;
  maxProbeDelayMs?: number;
  now?: () => number;
}

export interface BackendWatch {
  /** Looks again at once, because something passive (a cut socket, a refused call) says that the picture is old. */
  probeSoon(): void;
  stop(): Promise<void>;
}

/**
 * Keeps one backend's picture fresh, off the path of any request: `GET /prompt` at an interval (cheap: one number),
 * everything else when the backend (re)appears and now and then. One that hangs costs this loop its time-out and nobody
 * else anything.
 */
export function watchBackend(
  { backend, events, log }: { backend: Backend; events: Events; log: Logger },
  {
    probeIntervalMs,
    probeTimeoutMs,
    refreshMs = 60_000,
    maxProbeDelayMs = 4_000,
    now = Date.now,
  }: WatchOptions,
): BackendWatch {
  const running = createRunningState();
  let refreshedAt = Number.NEGATIVE_INFINITY;

  async function probe(): Promise<void> {
    const before = backend.state;
    try {
      const deadline = AbortSignal.any([running.signal, AbortSignal.timeout(probeTimeoutMs)]);
      const knownBefore = backend.queueRemaining;
      const answered = await backend.client.queueRemaining(deadline);
      if (before.status !== 'ready' || now() - refreshedAt > refreshMs) await refresh();
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
    } catch (error) {
      if (!running.shouldRun()) return;
      const reason = error instanceof Error ? error.message : String(error);
      backend.state = transitionBackend(backend.state, { type: 'probe-failed', at: now(), reason });
      log.debug({ backend: backend.name, err: error }, 'probe failed');
      if (before.status !== 'lost') events.emit('backend:lost', { backend: backend.name, reason });
    }
  }

  async function refresh(): Promise<void> {
    const { signal } = running;
    const stats = await backend.client.systemStats(signal);
    backend.version = stats.version;
    backend.memoryBytes = stats.devices[0]?.vramTotal ?? stats.ramTotal;
    const fresh = await backend.client.objectInfoUnless(backend.definitionsSignature, signal);
    if (fresh !== undefined) {
      backend.definitions = fresh.definitions;
      backend.definitionsSignature = fresh.signature;
    }
    refreshedAt = now();
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
    async stop() {
      running.stop();
      await done;
    },
  };
}
