import { setTimeout as delay } from 'node:timers/promises';

import type { Sim } from '@comfy-bridge/comfy-sim';

import type { BackendProcess } from './_backend-process.ts';
import type { BridgeProcess } from './_bridge-process.ts';
import type { Calls } from './_calls.ts';
import type { JobRecord } from './_job-record.ts';
import { soonMs } from './_pulse.ts';

export interface LeftoverDeps {
  bridge: BridgeProcess;
  backends: readonly BackendProcess[];
  sims: readonly Sim[];
  calls: Calls;
  records: readonly JobRecord[];
}

/** How long the last traces may take to go. */
const withinMs = 8_000;

/** What is still there when everything is over: each in one line, after a time in which it may go. */
export async function findLeftovers(deps: LeftoverDeps): Promise<string[]> {
  if (!deps.bridge.isRunning) return [`the bridge is dead: ${deps.bridge.complaints.slice(-10).join(' / ')}`];
  const deadline = performance.now() + withinMs;
  for (;;) {
    const left = await look(deps);
    if (left.length === 0 || performance.now() > deadline) return [...left, ...(await judgeAfterwards(deps))];
    await delay(50);
  }
}

async function look({ bridge, backends, sims, records }: LeftoverDeps): Promise<string[]> {
  const left: string[] = [];
  for (const [index, backend] of backends.entries()) {
    if (!backend.isRunning || backend.isPaused) continue;
    const { running, pending } = await backend.queue().catch(() => ({ running: ['no answer'], pending: [] }));
    if (running.length + pending.length > 0)
      left.push(`prompts on backend ${index}: ${[...running, ...pending].join()}`);
  }
  for (const [index, sim] of sims.entries()) {
    const { running, pending } = sim.queue();
    if (running.length + pending.length > 0)
      left.push(`prompts on sim ${index}: ${[...running, ...pending].join()}`);
  }
  const files = await bridge.leftFiles();
  // Of a client that left, or one that got it just before a crash: then the bridge cannot know, and keeps it for a day.
  const unfetched = records.filter(
    ({ end, endedLife }) => end?.kind === 'left' || endedLife < bridge.life,
  ).length;
  if (files.tmp > 0) left.push(`${files.tmp} temporary files`);
  if (files.unfinished > 0) left.push(`${files.unfinished} unfinished jobs in the store`);
  if (files.orphans > 0)
    left.push(`${files.orphans} result files of jobs that are delivered, failed or unknown`);
  if (files.results > unfetched)
    left.push(`${files.results} result files wait, ${unfetched} of them rightly`);
  const { sockets } = await bridge.figures();
  // Its listener, the channel and pipes to the test, and what it keeps open to each backend: the warm socket, and
  // HTTP: as many as it took when the backend came and its prompts were looked for at the same time. The soak sees leaks.
  const most = 5 + (backends.length + sims.length) * 9;
  if (sockets > most) left.push(`${sockets} sockets of the bridge are open, ${most} would be usual`);
  return left;
}

/** Nobody else gets a result, nobody gets one twice, and the bridge answers soon. */
async function judgeAfterwards({ bridge, calls, records }: LeftoverDeps): Promise<string[]> {
  const problems: string[] = [];
  const stranger = await calls.get('/history?clientId=somebody-else');
  if (stranger.status !== 204) problems.push(`a stranger was answered ${stranger.status}`);
  for (const { clientId, end, number, endedLife } of records.slice(-10)) {
    if (end?.kind !== 'succeeded' || endedLife < bridge.life) continue;
    const again = await calls.get(`/history?clientId=${clientId}`);
    if (again.status === 200) problems.push(`job ${number} can be fetched twice`);
  }
  const best = await answerTime(calls);
  if (best > soonMs) problems.push(`/generation-count took ${Math.round(best)} ms at best`);
  return problems;
}

/** The worst of ten answers, in the best of three rounds: one round may be disturbed by whatever else runs here. */
async function answerTime(calls: Calls): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3 && best > soonMs; round += 1) {
    let worst = 0;
    for (let call = 0; call < 10; call += 1) {
      const startedAt = performance.now();
      await calls.get('/generation-count');
      worst = Math.max(worst, performance.now() - startedAt);
    }
    best = Math.min(best, worst);
  }
  return best;
}
