import type { Bound } from './lower-bound.ts';
import type { Outcome } from './simulate.ts';
import { isAtOnce } from './world.ts';
import type { SimBackend, SimJob, World } from './world.ts';

/** How a strategy did in one world. */
export interface Measures {
  totalMs: number;
  totalToBound: number;
  /** From arrival to end. */
  meanMs: number;
  meanToBound: number;
  /**
   * Jain's index over the owners, 1 when all are equal: when all jobs come at once, of what each got while it had jobs
   * waiting; else of how much longer than on an idle fleet its jobs took.
   */
  fairness: number;
  /** The longest from arrival to start. */
  worstWaitMs: number;
  loads: number;
  /** Share of the machines' time in which they ran jobs; loading does not count. */
  utilisation: number;
}

export function measureOutcome(world: World, { totalMs, runs }: Outcome, bound: Bound): Measures {
  let completions = 0;
  let worstWaitMs = 0;
  let loads = 0;
  let busyMs = 0;
  for (const { job, start, loadedAt, end } of runs) {
    completions += end - job.at;
    worstWaitMs = Math.max(worstWaitMs, start - job.at);
    if (loadedAt > start) loads += 1;
    busyMs += end - loadedAt;
  }
  const meanMs = completions / runs.length;
  return {
    totalMs,
    totalToBound: totalMs / bound.totalMs,
    meanMs,
    meanToBound: meanMs / bound.meanMs,
    fairness: jain(isAtOnce(world) ? sharesOf(runs) : slowdownsOf(world, runs)),
    worstWaitMs,
    loads,
    utilisation: busyMs / (totalMs * world.backends.length),
  };
}

interface Owner {
  waiting: number;
  /** Work at speed 1 per ms that its running jobs get. */
  rate: number;
  /** What it got while it had jobs waiting, and what an equal share of that time's service would have been. */
  got: number;
  due: number;
}

/**
 * While an owner has jobs waiting, an equal share is what all such owners get together, divided by how many they are; each
 * owner is counted by what it got of its equal shares. Those who hardly ever waited are left out: for less than `leastJobs`
 * jobs' worth of equal share.
 */
function sharesOf(runs: Outcome['runs'], leastJobs = 5): number[] {
  const owners = new Map<string, Owner>();
  const changes = runs
    .flatMap((run) => [
      { at: run.job.at, run, what: 'came' as const },
      { at: run.start, run, what: 'began' as const },
      { at: run.end, run, what: 'ended' as const },
    ])
    .sort((a, b) => a.at - b.at);
  let last = 0;
  for (const { at, run, what } of changes) {
    if (at > last) share([...owners.values()], at - last);
    last = at;
    const { workflow, noise, owner: name } = run.job;
    const owner = owners.get(name) ?? { waiting: 0, rate: 0, got: 0, due: 0 };
    owners.set(name, owner);
    const rate = (workflow.runMs * noise) / (run.end - run.start);
    if (what === 'came') owner.waiting += 1;
    else if (what === 'began') owner.waiting -= 1;
    if (what === 'began') owner.rate += rate;
    else if (what === 'ended') owner.rate -= rate;
  }
  const meanWork = runs.reduce((sum, { job }) => sum + job.workflow.runMs * job.noise, 0) / runs.length;
  return [...owners.values()].flatMap(({ got, due }) => (due > leastJobs * meanWork ? [got / due] : []));
}

function share(owners: readonly Owner[], ms: number): void {
  let count = 0;
  let rate = 0;
  for (const owner of owners) {
    if (owner.waiting === 0) continue;
    count += 1;
    rate += owner.rate;
  }
  for (const owner of owners) {
    if (owner.waiting === 0) continue;
    owner.got += owner.rate * ms;
    owner.due += (rate / count) * ms;
  }
}

/** Of each owner: the mean of what its jobs took from their arrival on, by what they take on the fastest idle backend. */
function slowdownsOf({ backends }: World, runs: Outcome['runs']): number[] {
  const fastest = new Map<number, SimBackend>();
  for (const backend of backends.toSorted((a, b) => a.speed - b.speed)) {
    for (const workflow of backend.workflows) fastest.set(workflow, backend);
  }
  const least = ({ workflow, noise }: SimJob) =>
    (workflow.runMs / (fastest.get(workflow.index)?.speed ?? 1)) * noise;
  const owners = new Map<string, { sum: number; jobs: number }>();
  for (const { job, end } of runs) {
    const owner = owners.get(job.owner) ?? { sum: 0, jobs: 0 };
    owners.set(job.owner, { sum: owner.sum + (end - job.at) / least(job), jobs: owner.jobs + 1 });
  }
  return [...owners.values()].map(({ sum, jobs }) => sum / jobs);
}

/** 1 when all are equal, or nobody was measured. */
function jain(values: readonly number[]): number {
  const sum = values.reduce((total, value) => total + value, 0);
  const squares = values.reduce((total, value) => total + value * value, 0);
  return squares === 0 ? 1 : (sum * sum) / (values.length * squares);
}
