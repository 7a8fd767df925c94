import { findPrices, mix, pricesBySpeed, totalPrice, unitPrice } from './prices.ts';
import type { Demand } from './prices.ts';
import { meanOnOneMachine } from './one-machine.ts';
import { isAtOnce, loadMsOn, runMsOn } from './world.ts';
import type { SimBackend, SimJob, World } from './world.ts';

export interface Bound {
  /** No schedule has a smaller total time than this, ms. */
  totalMs: number;
  /** No schedule has a smaller mean time from arrival to end, ms. */
  meanMs: number;
}

/** The jobs of a workflow. */
interface Group {
  jobs: SimJob[];
  /** ms of all of them at speed 1 */
  work: number;
  /** ms of the shortest at speed 1 */
  least: number;
  able: SimBackend[];
}

/** Points in time at which the number of jobs that can be done is looked at. */
const looks = 80;

/**
 * Bounds that hold for every schedule, even for one that knows all that is to come. docs/bench.md explains them. They rest
 * on prices (`prices.ts`): in any t ms the fleet does at most t worth of work. When all jobs come at once, nothing is
 * loaded yet, and within a horizon T a machine that runs jobs of a workflow does so for at most T - load ms: so each ms of
 * running carries at least load / (T - load) of loading, and what does not fit into T at all is not done there.
 */
export function lowerBound(world: World): Bound {
  const groups = groupByWorkflow(world);
  return isAtOnce(world) ? boundAtOnce(world, groups) : boundOverTime(world, groups);
}

/** ms at speed 1 */
function workOf({ workflow, noise }: SimJob): number {
  return workflow.runMs * noise;
}

function groupByWorkflow({ jobs, backends }: World): Group[] {
  const groups = new Map<number, Group>();
  for (const job of jobs) {
    const { workflow } = job;
    let group = groups.get(workflow.index);
    if (group === undefined) {
      const able = backends.filter(({ workflows }) => workflows.has(workflow.index));
      groups.set(workflow.index, (group = { jobs: [], work: 0, least: Number.POSITIVE_INFINITY, able }));
    }
    group.jobs.push(job);
    group.work += workOf(job);
    group.least = Math.min(group.least, workOf(job));
  }
  return [...groups.values()];
}

function boundAtOnce({ backends, jobs }: World, groups: readonly Group[]): Bound {
  const soonest = jobs.map((job) => soonestEnd(job, backends, true));
  const bySpeed = pricesBySpeed(backends);
  const pricesFor = (demands: readonly Demand[]) => findPrices(demands, { from: bySpeed, rounds: 200 });
  const withoutLoads = demandsWithin(Number.POSITIVE_INFINITY, groups, backends.length);
  let prices = pricesFor(withoutLoads);
  let totalMs = Math.max(
    ...[soonest.reduce((most, ms) => Math.max(most, ms), 0), totalPrice(withoutLoads, prices)],
  );
  // With given prices the bound is where what is to be paid within T equals T; better prices then raise it.
  for (let step = 0; step < 6; step += 1) {
    const before = totalMs;
    prices = pricesFor(demandsWithin(totalMs * 1.01, groups, backends.length));
    totalMs = affordableTime(prices, groups, { from: totalMs, backends: backends.length });
    if (totalMs < before * 1.002) break;
  }
  return { totalMs, meanMs: meanAtOnce({ groups, soonest, totalMs, prices, backends }) };
}

/** The least T whose work is worth no more than T; what is worth more within its own time cannot be done in it. */
function affordableTime(
  prices: Float64Array,
  groups: readonly Group[],
  { from, backends }: { from: number; backends: number },
): number {
  const isTooShort = (ms: number) => totalPrice(demandsWithin(ms, groups, backends), prices) > ms;
  if (!isTooShort(from)) return from;
  let [low, high] = [from, from * 2];
  while (isTooShort(high)) [low, high] = [high, high * 2];
  while (high - low > low * 1e-4) {
    const middle = (low + high) / 2;
    if (isTooShort(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** What a ms of work costs on each backend, with the loading that it carries when all is to be done within `horizonMs`. */
function demandsWithin(horizonMs: number, groups: readonly Group[], backends: number): Demand[] {
  return groups.map(({ jobs, work, least, able }) => {
    const cost = new Float64Array(backends);
    const open: number[] = [];
    const [{ workflow } = { workflow: undefined }] = jobs;
    for (const backend of able) {
      const loadMs = workflow === undefined ? 0 : loadMsOn(workflow, backend);
      const left = horizonMs - loadMs;
      if (least / backend.speed > left) continue;
      open.push(backend.index);
      // It runs them for no longer than is left, and for no longer than all of them take.
      cost[backend.index] = 1 / backend.speed + loadMs * Math.max(1 / (left * backend.speed), 1 / work);
    }
    return { work, able: open, cost };
  });
}

interface AtOnce {
  groups: readonly Group[];
  /** Of each job, on the machine that would be done with it first. */
  soonest: readonly number[];
  totalMs: number;
  prices: Float64Array;
  backends: readonly SimBackend[];
}

/**
 * By time t at most n(t) jobs are done: as many of the cheapest as t pays for. What is not done yet adds up to the sum of
 * all completions.
 */
function meanAtOnce({ groups, soonest, totalMs, prices: atEnd, backends }: AtOnce): number {
  const jobs = soonest.length;
  const sorted = soonest.toSorted((a, b) => a - b);
  const bySpeed = pricesBySpeed(backends);
  const prices = [0, 0.25, 0.5, 0.75, 1].map((share) => mix(atEnd, bySpeed, share));
  let sum = 0;
  let before = 0;
  for (let look = 1; look <= looks; look += 1) {
    const at = totalMs * (look / looks) ** 1.5;
    const demands = demandsWithin(at, groups, backends.length);
    const possible = sorted.findLastIndex((ms) => ms <= at) + 1;
    const done = prices.map((some) => countAffordable(at, demands, groups, some));
    sum += (jobs - Math.min(jobs, possible, ...done)) * (at - before);
    before = at;
  }
  const soonestSum = sorted.reduce((total, ms) => total + ms, 0);
  return Math.max(sum, soonestSum) / jobs;
}

/** Pays for the cheapest jobs first, until `budget` is spent. */
function countAffordable(
  budget: number,
  demands: readonly Demand[],
  groups: readonly Group[],
  prices: Float64Array,
): number {
  const offers = groups.flatMap(({ jobs }, group) => {
    const demand = demands[group];
    const price = demand === undefined ? 0 : unitPrice(demand, prices);
    return jobs.map((job) => price * workOf(job));
  });
  let left = budget;
  let count = 0;
  for (const price of Float64Array.from(offers).sort()) {
    if (price > left) return count + left / price;
    left -= price;
    count += 1;
  }
  return count;
}

/** Jobs that come over time. What is loaded when they come is not known, so loading is left out. */
function boundOverTime({ backends, jobs }: World, groups: readonly Group[]): Bound {
  const cost = Float64Array.from(backends, ({ speed }) => 1 / speed);
  const demands = groups.map(({ work, able }): Demand => ({
    work,
    able: able.map(({ index }) => index),
    cost,
  }));
  const prices = findPrices(demands, { from: pricesBySpeed(backends), rounds: 400 });
  const unit = new Map(
    groups.map(({ jobs: [job] }, at) => [
      job?.workflow.index,
      unitPrice(demands[at] ?? { work: 0, able: [], cost }, prices),
    ]),
  );
  const size = (job: SimJob) => (unit.get(job.workflow.index) ?? 0) * workOf(job);
  const soonest = jobs.map((job) => soonestEnd(job, backends, false));
  const start = jobs[0]?.at ?? 0;
  let totalMs = 0;
  let behind = 0;
  // What comes from some time on has to be done after it.
  for (const job of jobs.toReversed()) {
    behind += size(job);
    totalMs = Math.max(totalMs, job.at - start + Math.max(behind, soonest[job.index] ?? 0));
  }
  const meanSoonest = soonest.reduce((sum, ms) => sum + ms, 0) / jobs.length;
  return { totalMs, meanMs: Math.max(meanSoonest, meanOnOneMachine(jobs, size)) };
}

function soonestEnd(job: SimJob, backends: readonly SimBackend[], isCold: boolean): number {
  let least = Number.POSITIVE_INFINITY;
  for (const backend of backends) {
    if (!backend.workflows.has(job.workflow.index)) continue;
    const ms = runMsOn(job, backend) + (isCold ? loadMsOn(job.workflow, backend) : 0);
    if (ms < least) least = ms;
  }
  return least;
}
