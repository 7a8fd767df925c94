import { createBridgeClient } from './_bridge-client.ts';
import { createDirectClient } from './_direct-client.ts';
import type { JobOutcome } from './_direct-client.ts';
import { startBridge, startSims } from './_fleet.ts';
import type { Settings } from './_fleet.ts';
import type { Row } from './_report.ts';
import { showNumber, summarize } from './_stats.ts';

const pollMs = 2;

/** What one job costs more through the bridge than without, when nothing else goes on. */
export async function measureOverheadPerJob(settings: Settings): Promise<Row[]> {
  await using sims = await startSims({ runMs: 0 });
  await using bridge = await startBridge(settings, sims.urls);
  await using direct = await createDirectClient(sims.urls, 4);
  await using client = createBridgeClient(bridge.url, 4);
  const ways = {
    direct: direct.runJob,
    WS: client.runJobOverSocket,
    'REST polling': () => client.runJobByPolling(pollMs),
  };
  const rounds = settings.quick ? 3 : 8;
  const times: Record<keyof typeof ways, number[]> = { direct: [], WS: [], 'REST polling': [] };
  let lost = 0;
  // In turns, so that a machine that is slower for a while is slower for all of them.
  for (let round = 0; round <= rounds; round += 1) {
    if (round === 1) await bridge.process.take();
    for (const name of ['direct', 'WS', 'REST polling'] as const) {
      const took = await runInSequence(ways[name], 100);
      lost += took.lost;
      // The first round warms up.
      if (round > 0) times[name].push(...took.ms);
    }
  }
  const { cpuMs } = await bridge.process.take();
  const jobs = rounds * 200;
  const base = summarize(times.direct);
  return (['WS', 'REST polling'] as const).flatMap((name): Row[] => {
    const through = summarize(times[name]);
    const shared = { scenario: 'overhead, 1 client', unit: 'ms' };
    const notes =
      `direct ${showNumber(base.p50)}/${showNumber(base.p99)}, through ${showNumber(through.p50)}/${showNumber(through.p99)} ms` +
      (name === 'WS'
        ? `; CPU ${showNumber(cpuMs / jobs)} ms/job; lost ${lost}`
        : `; asked every ${pollMs} ms`);
    return [
      {
        ...shared,
        what: `${name}: added p50`,
        value: through.p50 - base.p50,
        gate: { atMost: 10 },
        stretch: { atMost: 3 },
        notes,
      },
      { ...shared, what: `${name}: added p99`, value: through.p99 - base.p99, gate: { atMost: 50 } },
    ];
  });
}

async function runInSequence(
  runJob: () => Promise<JobOutcome>,
  jobs: number,
): Promise<{ ms: number[]; lost: number }> {
  const ms: number[] = [];
  for (let job = 0; job < jobs; job += 1) {
    const startedAt = performance.now();
    if ((await runJob()) === 'right') ms.push(performance.now() - startedAt);
  }
  return { ms, lost: jobs - ms.length };
}
