import { setTimeout as delay } from 'node:timers/promises';

import { expect, test } from 'vitest';

import { soonMs, startPulse } from './_pulse.ts';
import { startRig } from './_rig.ts';
import type { Rig } from './_rig.ts';
import { thorough } from './_settings.ts';
import { waitUntil } from './_wait-until.ts';

test(
  'a backend that comes back is used again within 5 s, with one job at first',
  { timeout: 60_000 },
  async () => {
    await using rig = await startRig({ sims: [{}] });
    const [sim] = rig.sims;
    await sim?.refuse(true);
    await rig.untilReady(0);
    const clients = Array.from({ length: 3 }, () => rig.client({ kind: 'rest' }));
    await Promise.all(clients.map(({ submitted }) => submitted));
    const backAt = performance.now();
    await sim?.refuse(false);
    const first = await sim?.nextPrompt();
    expect(performance.now() - backAt).toBeLessThan(5_000);
    let most = 0;
    for (const until = performance.now() + 500; performance.now() < until; await delay(20)) {
      const { running = [], pending = [] } = sim?.queue() ?? {};
      most = Math.max(most, running.length + pending.length);
    }
    expect.soft(most, 'prompts that it got before it had finished one').toBe(1);
    await first?.finish();
    for (let run = 0; run < 2; run += 1) await (await sim?.nextPrompt())?.finish();
    expect(await rig.verdict()).toEqual([]);
  },
);

test(
  'its WebSocket drops in the middle of a job: the job goes on and is told once',
  { timeout: 60_000 },
  async () => {
    await using rig = await startRig({ sims: [{}] });
    const [sim] = rig.sims;
    const client = rig.client({ workflow: 'steps' });
    const run = await sim?.nextPrompt();
    run?.progress(2, 10);
    await waitUntil('progress', () => client.record.frames.some(({ status }) => status === 'progress'));
    sim?.dropSockets();
    await waitUntil('a new socket', () => sim?.sockets() === 1);
    const before = client.record.frames.length;
    run?.progress(6, 10);
    await waitUntil('more progress', () => client.record.frames.length > before);
    await run?.finish();
    expect(await rig.verdict()).toEqual([]);
    expect(client.record.end?.kind).toBe('succeeded');
    expect(rig.prompts()).toHaveLength(1);
  },
);

test(
  'its WebSocket drops and cannot be opened again: the end is found over HTTP',
  { timeout: 60_000 },
  async () => {
    await using rig = await startRig({ sims: [{}] });
    const [sim] = rig.sims;
    const client = rig.client({ workflow: 'steps' });
    const run = await sim?.nextPrompt();
    sim?.failNext('GET /ws', 503, 1000);
    sim?.dropSockets();
    await run?.finish();
    expect((await client.done).end?.kind).toBe('succeeded');
    sim?.clearFaults();
    expect(await rig.verdict()).toEqual([]);
    expect(rig.prompts()).toHaveLength(1);
  },
);

test(
  'its HTTP hangs for 5 s: nobody else notices, and its job is not lost',
  { timeout: 60_000 },
  async () => {
    await using rig = await startRig({ sims: [{}, { mode: 'free', stepMs: 5 }] });
    const [sim] = rig.sims;
    const stuck = rig.client({ kind: 'rest', workflow: 'steps' });
    const run = await sim?.nextPrompt();
    await using pulse = startPulse(rig.bridge);
    sim?.hang(true);
    const others = Array.from({ length: 4 }, () => rig.client({ kind: 'ws' }));
    const startedAt = performance.now();
    const ends = await Promise.all(others.map(({ done }) => done));
    expect(ends.map(({ end }) => end?.kind)).toEqual(Array(4).fill('succeeded'));
    await delay(Math.max(0, 5_000 - (performance.now() - startedAt)));
    sim?.hang(false);
    await run?.finish();
    expect((await stuck.done).end?.kind).toBe('succeeded');
    expect(pulse.report().p50).toBeLessThan(soonMs);
    expect(pulse.report().max).toBeLessThan(1_000);
    expect(await rig.verdict()).toEqual([]);
  },
);

test(
  'very unequal backends (10×): divided so that the whole takes at most 1.2 times as long as it must',
  { timeout: 90_000 },
  async () => {
    // Otherwise the run times are not known yet, and no placement can be good.
    const [fast, slow] = [150, 1_500];
    await using rig = await startRig({ backends: [{ runMs: fast }, { runMs: slow }] });
    for (let job = 0; job < 4; job += 1) rig.client();
    await Promise.all(
      rig.records.map(() =>
        waitUntil('warm-up', () => rig.records.every(({ end }) => end), { withinMs: 20_000 }),
      ),
    );
    const jobs = thorough ? 66 : 33;
    const clients = Array.from({ length: jobs }, () => rig.client());
    await Promise.all(clients.map(({ done }) => done));
    // By where they ran, and not by a clock: other work on this machine would make the quick one as slow as the other.
    const onSlow = await countJobs(rig, 'backend-2', jobs);
    expect(await rig.verdict()).toEqual([]);
    const shortest = Math.min(...Array.from({ length: jobs + 1 }, (_, some) => makespan(some)));
    expect(makespan(onSlow) / shortest, `${onSlow} on the slow one`).toBeLessThan(1.2);

    function makespan(some: number): number {
      return Math.max((jobs - some) * fast, some * slow);
    }
  },
);

/** Of the newest `limit` jobs, those that ended on a backend. */
async function countJobs(rig: Rig, backend: string, limit: number): Promise<number> {
  const answer = JSON.parse((await rig.calls.get(`/api/bridge/jobs?limit=${limit}`)).text) as {
    jobs: { attempts: { backend: string }[] }[];
  };
  expect(answer.jobs).toHaveLength(limit);
  return answer.jobs.filter(({ attempts }) => attempts.at(-1)?.backend === backend).length;
}
