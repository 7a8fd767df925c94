import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

import { WebSocket } from 'ws';

import { startBridge } from './_fleet.ts';
import type { RunningBridge, Settings } from './_fleet.ts';
import type { Row } from './_report.ts';
import { showNumber } from './_stats.ts';

/** Sockets opened side by side. */
const batch = 100;

/** What a client costs that only listens. */
export async function measureIdleSockets(settings: Settings): Promise<Row[]> {
  const rows: Row[] = [];
  for (const count of settings.quick ? [2_000] : [2_000, 5_000]) {
    await using bridge = await startBridge(settings, [], { LIMIT_TIMEOUT_COUNT: '3600' });
    rows.push(...(await measureCount(bridge, count)));
  }
  return rows;
}

async function measureCount(bridge: RunningBridge, count: number): Promise<Row[]> {
  // The code of a first connection is loaded and compiled once; it is no cost of a socket.
  const warm = await openSockets(bridge.url, batch);
  await settle();
  const before = await bridge.process.take({ collect: true });
  const sockets = await openSockets(bridge.url, count);
  await settle();
  const after = await bridge.process.take({ collect: true });
  await delay(3_000);
  const resting = await bridge.process.take();
  const open = sockets.filter((socket) => socket.readyState === WebSocket.OPEN).length;
  for (const socket of [...warm, ...sockets]) socket.terminate();
  const scenario = `idle WebSockets, ${count}`;
  return [
    {
      scenario,
      what: 'memory per socket',
      value: (after.rss - before.rss) / 1000 / count,
      unit: 'KB',
      gate: { atMost: 15 },
      stretch: { atMost: 9 },
      notes: `RSS ${showNumber(before.rss / 1e6)} → ${showNumber(after.rss / 1e6)} MB, both after a collection; peak while opening ${showNumber(after.peakRss / 1e6)} MB`,
    },
    {
      scenario,
      what: 'event-loop delay p99 while they idle',
      value: resting.delayP99,
      unit: 'ms',
      gate: { atMost: 20 },
      stretch: { atMost: 10 },
      notes: `busy ${showNumber(resting.utilization * 100)} %`,
    },
    {
      scenario,
      // A stall is one sample of many, so that a percentile does not show it.
      what: 'longest event-loop delay while they idle',
      value: resting.delayMax,
      unit: 'ms',
      gate: { atMost: 50 },
      notes: 'with a heartbeat a second',
    },
    { scenario, what: 'sockets lost', value: count - open, unit: `of ${count}`, gate: { atMost: 0 } },
  ];
}

/** Two heartbeats: what comes with the first one is no rise afterwards. */
async function settle(): Promise<void> {
  await delay(2_500);
}

export async function openSockets(url: string, count: number): Promise<WebSocket[]> {
  const sockets: WebSocket[] = [];
  for (let opened = 0; opened < count; opened += batch) {
    const fresh = Array.from({ length: Math.min(batch, count - opened) }, (_, index) => {
      const socket = new WebSocket(`${url.replace('http', 'ws')}/ws?clientId=idle-${opened + index}`, {
        perMessageDeflate: false,
      });
      socket.on('error', () => {});
      return socket;
    });
    await Promise.all(fresh.map((socket) => once(socket, 'open')));
    sockets.push(...fresh);
  }
  return sockets;
}
