// Runs in a thread of its own, so that a busy load generator does not count as a slow bridge: asks for a small answer
// again and again and tells how long each took.
import { setTimeout as delay } from 'node:timers/promises';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';

import { Pool } from 'undici';

import { summarize } from './_stats.ts';
import type { Summary } from './_stats.ts';

const gapMs = 5;

export interface LatencyProbe {
  /** Stops asking; ms. */
  stop(): Promise<Summary>;
}

/** Starts asking `GET /generation-count`. */
export async function startLatencyProbe(url: string): Promise<LatencyProbe> {
  const worker = new Worker(new URL(import.meta.url), { workerData: { url } });
  const messages: unknown[] = [];
  let wake: (() => void) | undefined;
  worker.on('message', (message) => {
    messages.push(message);
    wake?.();
  });
  async function next(): Promise<unknown> {
    while (messages.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return messages.shift();
  }
  await next();
  return {
    async stop() {
      worker.postMessage('stop');
      const times = await next();
      await worker.terminate();
      return summarize(Array.isArray(times) ? times.map(Number) : []);
    },
  };
}

async function ask(url: string): Promise<void> {
  const pool = new Pool(url, { connections: 1 });
  const times: number[] = [];
  const state = { stopped: false };
  parentPort?.once('message', () => {
    state.stopped = true;
  });
  const request = async () => {
    const answer = await pool.request({ method: 'GET', path: '/generation-count' });
    await answer.body.text();
  };
  for (let warm = 0; warm < 20; warm += 1) await request();
  parentPort?.postMessage('ready');
  while (!state.stopped) {
    const startedAt = performance.now();
    await request();
    times.push(performance.now() - startedAt);
    await delay(gapMs);
  }
  await pool.destroy();
  parentPort?.postMessage(times);
}

if (!isMainThread) {
  const { url }: { url: string } = workerData;
  await ask(url);
}
