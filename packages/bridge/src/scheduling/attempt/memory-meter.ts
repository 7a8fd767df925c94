import type { ComfyClient } from '../../comfy/comfy-client.ts';
import { usedMemory } from '../../comfy/system-stats.ts';

/** What a backend's ComfyUI uses while a prompt runs. */
export interface MemoryMeter {
  start(): void;
  stop(): void;
  /** The most that was seen, bytes; 0 when it was never looked at. */
  peakBytes(): number;
}

/** A run shorter than this is not looked at; a longer one as often. */
const everyMs = 3_000;
const deadlineMs = 2_000;

/** Asks `/system_stats` now and then. One that does not answer costs a look and nothing else. */
export function createMemoryMeter({ client }: { client: Pick<ComfyClient, 'systemStats'> }): MemoryMeter {
  let timer: NodeJS.Timeout | undefined;
  let isLooking = false;
  let peak = 0;

  async function look(): Promise<void> {
    if (isLooking) return;
    isLooking = true;
    try {
      peak = Math.max(peak, usedMemory(await client.systemStats(AbortSignal.timeout(deadlineMs))));
    } catch {
      // The attempt itself finds out when its backend is in trouble.
    } finally {
      isLooking = false;
    }
  }

  return {
    start() {
      timer ??= setInterval(() => void look(), everyMs).unref();
    },
    stop() {
      clearInterval(timer);
      timer = undefined;
    },
    peakBytes: () => peak,
  };
}
