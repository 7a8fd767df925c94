import { freeMemory, gpuName, totalMemory, usableMemory } from '../comfy/system-stats.ts';
import type { Events } from '../events.ts';
import type { Logger } from '../logging.ts';
import type { Backend } from './fleet.ts';
import { isPausedByOwner } from './lending.ts';

/** What a backend tells of itself at little cost. Nothing of it is needed, so nothing here rejects. */
export interface BackendLook {
  /** Its version and its memory. */
  refreshStats(): Promise<void>;
  refreshFeatures(): Promise<void>;
  /**
   * Its version and a hash of its models: while that is the same, so most likely is all that it offers, since node packs
   * change with a restart. Undefined when it did not tell. `lanes`: folders asked for at a time.
   */
  fingerprint(lanes: number): Promise<string | undefined>;
}

const fingerprintDeadlineMs = 30_000;

export function createBackendLook(
  { backend, events, log }: { backend: Backend; events: Events; log: Logger },
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): BackendLook {
  function within(ms: number): AbortSignal {
    return AbortSignal.any([signal, AbortSignal.timeout(ms)]);
  }

  function failed(error: unknown): void {
    if (!signal.aborted) log.debug({ backend: backend.name, err: error }, 'could not look at a backend');
  }

  async function refreshStats(): Promise<void> {
    try {
      const stats = await backend.client.systemStats(within(timeoutMs));
      if (stats.version !== '') backend.version = stats.version;
      const { pythonVersion, pytorchVersion } = stats;
      backend.machine = {
        ...{ freeMemoryBytes: freeMemory(stats), gpu: gpuName(stats) },
        ...{ pythonVersion, pytorchVersion },
      };
      const total = totalMemory(stats);
      if (total === 0) return;
      const before = backend.usableMemoryBytes;
      // What its owner leaves free while working there says nothing of what jobs will have once it is lent again.
      if (before > 0 && isPausedByOwner(backend)) return;
      backend.memoryBytes = total;
      backend.usableMemoryBytes = usableMemory(stats);
      // What was too large may fit now; what ComfyUI itself loads and unloads does not count here.
      const hasMore = backend.usableMemoryBytes - before > total / 100;
      if (hasMore && backend.state.status === 'ready')
        events.emit('backend:capacity', { backend: backend.name });
    } catch (error) {
      failed(error);
    }
  }

  return {
    refreshStats,
    async refreshFeatures() {
      try {
        backend.features = await backend.client.features(within(timeoutMs));
      } catch (error) {
        failed(error);
      }
    },
    async fingerprint(lanes) {
      await refreshStats();
      try {
        const models = await backend.client.modelsFingerprint({
          lanes,
          signal: within(fingerprintDeadlineMs),
        });
        return `${backend.version} ${models}`;
      } catch (error) {
        failed(error);
        return undefined;
      }
    },
  };
}
