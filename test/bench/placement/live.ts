import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

import { Pool } from 'undici';

import { startBridge } from '../_fleet.ts';
import type { Settings } from '../_fleet.ts';
import { startMeasured } from '../_measured-process.ts';
import type { Row } from '../_report.ts';
import { showNumber } from '../_stats.ts';
import { createBridgeStrategy } from './bridge-strategy.ts';
import { buildLiveWorld, toSimOptions } from './live-world.ts';
import type { LiveWorld } from './live-world.ts';
import { simulate } from './simulate.ts';
import type { SimJob, World } from './world.ts';

interface Figures {
  totalMs: number;
  meanMs: number;
}

/** The same fleet and jobs in virtual time, and through a real bridge on eight simulated ComfyUIs with real sockets. */
export async function measureLive(settings: Settings): Promise<Row[]> {
  const world = settings.quick ? buildLiveWorld(40, 200) : buildLiveWorld(120, 700);
  const virtual = playVirtually(world);
  const live = await playLive(settings, world);
  const row = (what: string, key: keyof Figures): Row => ({
    scenario: 'placement, live',
    what: `${what}: off the simulation by`,
    value: Math.abs(live[key] / virtual[key] - 1) * 100,
    unit: '%',
    // Few jobs end in a few seconds, of which the network takes its share.
    ...(settings.quick ? {} : { gate: { atMost: 10 } }),
    notes: `live ${showNumber(live[key] / 1_000)} s, simulated ${showNumber(virtual[key] / 1_000)} s; ${world.jobs.length} jobs on 8 backends`,
  });
  return [row('total time', 'totalMs'), row('mean completion', 'meanMs')];
}

function playVirtually(world: World): Figures {
  const { runs, totalMs } = simulate(world, createBridgeStrategy(world));
  return { totalMs, meanMs: runs.reduce((sum, { end, job }) => sum + end - job.at, 0) / runs.length };
}

async function playLive(settings: Settings, world: LiveWorld): Promise<Figures> {
  await using sims = startMeasured({
    args: [
      join(import.meta.dirname, 'live-sims.ts'),
      JSON.stringify(world.backends.map((backend) => toSimOptions(backend, world))),
    ],
  });
  const urls = await readUrls(sims.child.stdout);
  const servers = urls.map((url, index) => `${world.backends[index]?.name}=${new URL(url).host}`);
  await using bridge = await startBridge(settings, servers, {
    WORKFLOW_DIR: join(import.meta.dirname, 'workflows'),
  });
  const pool = new Pool(bridge.url, { connections: 8 });
  try {
    const ids = await Promise.all(world.jobs.map((job) => submit(pool, job)));
    const times: { from: number; to: number }[] = [];
    for (const id of ids) times.push(await untilEnd(pool, id));
    const from = Math.min(...times.map((time) => time.from));
    return {
      totalMs: Math.max(...times.map(({ to }) => to)) - from,
      meanMs: times.reduce((sum, time) => sum + time.to - time.from, 0) / times.length,
    };
  } finally {
    await pool.close();
  }
}

async function readUrls(stdout: NodeJS.ReadableStream | null): Promise<string[]> {
  if (stdout === null) throw new Error('the simulated backends have no output');
  const lines = createInterface({ input: stdout });
  const [line]: unknown[] = await once(lines, 'line', { signal: AbortSignal.timeout(15_000) });
  const { urls }: { urls: string[] } = JSON.parse(String(line));
  return urls;
}

async function submit(pool: Pool, { index, workflow }: SimJob): Promise<string> {
  const answer = await pool.request({
    method: 'POST',
    path: `/generate-based-workflow?clientId=${randomUUID()}`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ workflow: workflow.name, '4/seed': index + 1 }),
  });
  const text = await answer.body.text();
  if (answer.statusCode !== 200) throw new Error(`refused with ${answer.statusCode}: ${text}`);
  const { jobId }: { jobId: string } = JSON.parse(text);
  return jobId;
}

async function untilEnd(pool: Pool, id: string): Promise<{ from: number; to: number }> {
  for (;;) {
    const answer = await pool.request({ method: 'GET', path: `/api/v2/jobs/${id}` });
    const job: { status: string; created_at: string; completed_at: string | null } = JSON.parse(
      await answer.body.text(),
    );
    if (job.status === 'succeeded' && job.completed_at !== null)
      return { from: Date.parse(job.created_at), to: Date.parse(job.completed_at) };
    if (['failed', 'canceled', 'expired'].includes(job.status)) throw new Error(`a job ${job.status}`);
    await delay(200);
  }
}
