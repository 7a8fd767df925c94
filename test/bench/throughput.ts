import { createBridgeClient } from './_bridge-client.ts';
import { runClosedLoop } from './_closed-loop.ts';
import type { LoadResult } from './_closed-loop.ts';
import { createDirectClient } from './_direct-client.ts';
import { startBridge, startSims } from './_fleet.ts';
import type { Settings, SimFleet } from './_fleet.ts';
import type { Limit, Row } from './_report.ts';
import { showNumber } from './_stats.ts';

interface Cell {
  runMs: number;
  clients: number;
}

/** Jobs per second with many clients, each with one job at a time; each result's pixels are checked. */
export async function measureThroughput(settings: Settings): Promise<Row[]> {
  const clientCounts = settings.quick ? [10] : [1, 10, 100];
  const rows: Row[] = [];
  for (const runMs of [0, 200]) {
    await using sims = await startSims({ runMs });
    for (const clients of clientCounts) rows.push(...(await measureCell(settings, sims, { runMs, clients })));
  }
  return rows;
}

async function measureCell(settings: Settings, sims: SimFleet, cell: Cell): Promise<Row[]> {
  const { runMs, clients } = cell;
  const window = settings.quick
    ? { warmUpMs: 1_000, windowMs: 3_000 }
    : { warmUpMs: 2_000, windowMs: 10_000 };
  const load = { clients, ...window };
  await using direct = await createDirectClient(sims.urls, clients);
  const base = await runClosedLoop(direct.runJob, load);
  await using bridge = await startBridge(settings, sims.urls);
  await using client = createBridgeClient(bridge.url, clients);
  const pollMs = toPollMs(cell);
  const ways = {
    WS: client.runJobOverSocket,
    [`REST every ${pollMs} ms`]: () => client.runJobByPolling(pollMs),
  };
  const rows: Row[] = [];
  for (const [way, runJob] of Object.entries(ways)) {
    await bridge.process.take();
    await sims.process.take();
    const result = await runClosedLoop(runJob, load);
    const cost = await bridge.process.take();
    const simCost = await sims.process.take();
    const gates = gatesOf(cell);
    const limits =
      runMs > 0 ? { label: 'limit', value: Math.min(clients, sims.urls.length) * (1000 / runMs) } : undefined;
    rows.push({
      scenario: `throughput, ${runMs} ms jobs`,
      what: `${clients} clients, ${way}`,
      value: result.jobsPerSecond,
      unit: 'jobs/s',
      reference: limits ?? { label: 'direct', value: base.jobsPerSecond },
      ...gates,
      notes:
        `${describe(result)}; direct ${showNumber(base.jobsPerSecond)} jobs/s, ${describe(base)}; ` +
        `CPU/job ${showNumber(cost.cpuMs / result.jobs)} ms (sims ${showNumber(simCost.cpuMs / result.jobs)}); ` +
        `loop p99 ${showNumber(cost.delayP99)}, max ${showNumber(cost.delayMax)} ms, busy ${showNumber(cost.utilization * 100)} %`,
    });
    rows.push({
      scenario: `throughput, ${runMs} ms jobs`,
      what: `${clients} clients, ${way}: lost or wrong`,
      value: result.lost + result.wrong,
      unit: `of ${result.jobs}`,
      gate: { atMost: 0 },
    });
  }
  return rows;
}

/** Often enough not to be what is measured, and about as many requests as there are jobs to finish. */
function toPollMs({ runMs, clients }: Cell): number {
  if (runMs > 0) return clients > 10 ? 100 : 20;
  return clients > 10 ? 100 : clients > 1 ? 10 : 2;
}

function gatesOf({ runMs, clients }: Cell): { gate?: Limit; stretch?: Limit } {
  if (runMs > 0) return clients >= 10 ? { gate: { atLeast: 19 }, stretch: { atLeast: 19.7 } } : {};
  return clients === 10 ? { gate: { atLeast: 300 } } : {};
}

function describe({ latency, lost, wrong }: LoadResult): string {
  return `${showNumber(latency.p50)}/${showNumber(latency.p99)} ms, lost ${lost}, wrong ${wrong}`;
}
