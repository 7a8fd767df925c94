import { setTimeout as delay } from 'node:timers/promises';

import { createBridgeClient } from './_bridge-client.ts';
import { runClosedLoop } from './_closed-loop.ts';
import { makePng, makeWav } from './_content.ts';
import { startBridge, startSims } from './_fleet.ts';
import type { Settings } from './_fleet.ts';
import { startLatencyProbe } from './_latency-probe.ts';
import { startMeasured } from './_measured-process.ts';
import type { Row } from './_report.ts';
import { showNumber } from './_stats.ts';
import { openSockets } from './idle-sockets.ts';
import { sendAll } from './upload.ts';

const uploadEveryMs = 1_000;

/**
 * The event loop under all of it together, at the load that four backends can take: idle sockets, clients that keep every
 * backend busy, a large upload each second. Not at the limit of the processor, where everybody waits for it alike.
 */
export async function measureEverythingAtOnce(settings: Settings): Promise<Row[]> {
  await using sims = await startSims({ runMs: 200 });
  await using bridge = await startBridge(settings, sims.urls, { LIMIT_TIMEOUT_COUNT: '3600' });
  await using client = createBridgeClient(bridge.url, 20);
  // Does nothing: how late it is shows how busy the machine is.
  await using bystander = startMeasured({ args: ['--eval', 'setInterval(() => {}, 60_000)'] });
  const idle = await openSockets(bridge.url, 1_000);
  await runClosedLoop(client.runJobOverSocket, { clients: 10, warmUpMs: 0, windowMs: 1_000 });
  await bridge.process.take({ collect: true });
  await bystander.take();
  const probe = await startLatencyProbe(bridge.url);
  const load = { warmUpMs: 0, windowMs: settings.quick ? 5_000 : 15_000 };
  const [overSockets, byPolling, uploads] = await Promise.all([
    runClosedLoop(client.runJobOverSocket, { clients: 8, ...load }),
    runClosedLoop(() => client.runJobByPolling(50), { clients: 8, ...load }),
    uploadNowAndThen(bridge.url, load.windowMs),
  ]);
  const latency = await probe.stop();
  const cost = await bridge.process.take();
  const beside = await bystander.take();
  for (const socket of idle) socket.terminate();
  const scenario = 'everything at once';
  return [
    {
      scenario,
      what: 'event-loop delay p99',
      value: cost.delayP99,
      unit: 'ms',
      reference: { label: 'idle process', value: beside.delayP99 },
      gate: { atMost: 20 },
      stretch: { atMost: 10 },
      notes:
        `max ${showNumber(cost.delayMax)} (idle process ${showNumber(beside.delayMax)}) ms, busy ${showNumber(cost.utilization * 100)} %; ` +
        `${showNumber(overSockets.jobsPerSecond)} jobs/s over WS and ${showNumber(byPolling.jobsPerSecond)} by polling, ` +
        `${uploads} uploads, ${idle.length} idle sockets`,
    },
    {
      scenario,
      what: 'another client waits, p99',
      value: latency.p99,
      unit: 'ms',
      gate: { atMost: 50 },
      notes: `max ${showNumber(latency.max)} ms of ${latency.count}`,
    },
    {
      scenario,
      what: 'jobs lost or wrong',
      value: overSockets.lost + overSockets.wrong + byPolling.lost + byPolling.wrong,
      unit: `of ${overSockets.jobs + byPolling.jobs}`,
      gate: { atMost: 0 },
    },
  ];
}

/** A sound of 50 MB and a picture of 12 MB in turns; resolves with how many there were. */
async function uploadNowAndThen(url: string, forMs: number): Promise<number> {
  const files = [makeWav(50), makePng(2_048)];
  const endsAt = performance.now() + forMs;
  let uploads = 0;
  while (performance.now() < endsAt) {
    const startedAt = performance.now();
    const file = files[uploads % files.length];
    if (file !== undefined) await sendAll(url, file, 1);
    uploads += 1;
    await delay(Math.max(0, startedAt + uploadEveryMs - performance.now()));
  }
  return uploads;
}
