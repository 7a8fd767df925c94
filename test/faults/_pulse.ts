import { setTimeout as delay } from 'node:timers/promises';

import type { BridgeProcess } from './_bridge-process.ts';
import { createCalls } from './_calls.ts';

export interface PulseReport {
  /** Answers in ms, each. */
  count: number;
  p50: number;
  p95: number;
  max: number;
}

/** Asks a bridge for its count again and again, to see whether it always answers soon. */
export interface Pulse extends AsyncDisposable {
  report(): PulseReport;
}

/** On two cores with five processes a single answer may come late for reasons outside of the bridge. */
export const soonMs = 50;

export function startPulse(bridge: Pick<BridgeProcess, 'url' | 'isRunning'>, everyMs = 50): Pulse {
  const calls = createCalls(() => bridge.url, { withinMs: 30_000 });
  const times: number[] = [];
  const state = { stopped: false };

  async function run(): Promise<void> {
    while (!state.stopped) {
      const startedAt = performance.now();
      const answered = await calls.get('/generation-count').then(
        ({ status }) => status === 200,
        () => false,
      );
      // One that died while it was asked gives no answer; that is no late one.
      if (answered || (bridge.isRunning && !state.stopped)) times.push(performance.now() - startedAt);
      await delay(everyMs);
    }
  }

  const done = run();
  return {
    report() {
      const sorted = times.toSorted((a, b) => a - b);
      const at = (share: number) =>
        sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
      return { count: sorted.length, p50: at(0.5), p95: at(0.95), max: sorted.at(-1) ?? 0 };
    },
    async [Symbol.asyncDispose]() {
      state.stopped = true;
      await done;
      await calls[Symbol.asyncDispose]();
    },
  };
}
