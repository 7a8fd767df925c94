import type { SimBackend, SimWorkflow } from './world.ts';

/** Jobs that are alike: so much work in all, and what a unit of it costs on each backend. */
export interface Demand {
  work: number;
  /** Backends that can do it. */
  able: readonly number[];
  /** By the backend's index: its time for a unit of work. */
  cost: Float64Array;
}

/** How the work of each demand is shared among the backends that can do it. */
type Shares = Float64Array[];

/** Softer and harder ways of making the fullest backends dear. */
const contrasts = [5, 20, 80, 320, 1_280];

/** The least that all the work costs. */
export function totalPrice(demands: readonly Demand[], prices: Float64Array): number {
  return demands.reduce((sum, demand) => sum + demand.work * unitPrice(demand, prices), 0);
}

export function unitPrice({ able, cost }: Demand, prices: Float64Array): number {
  let least = Number.POSITIVE_INFINITY;
  for (const index of able) {
    const price = (prices[index] ?? 0) * (cost[index] ?? 0);
    if (price < least) least = price;
  }
  return least;
}

/**
 * What a ms of each backend is worth, all together 1. Any prices make a bound: a unit of work costs at least its cheapest
 * price·cost wherever it is done, and the fleet earns at most 1 per ms. To find good ones, the work is shared out so that
 * the fullest backend has the least (each demand moves away from backends that are fuller than others), and then the
 * fullest are the dear ones. The two meet where neither can be better: linear programming's duality.
 */
export function findPrices(
  demands: readonly Demand[],
  { from, rounds }: { from: Float64Array; rounds: number },
): Float64Array {
  const load = new Float64Array(from.length);
  const shares: Shares = demands.map(({ able, cost }) =>
    Float64Array.from(able, (index) => 1 / (cost[index] ?? 1)),
  );
  let best = { value: totalPrice(demands, from), prices: from };
  for (let round = 1; round <= rounds; round += 1) {
    const fullest = shareOut(demands, shares, load);
    if (round % 20 !== 0) continue;
    for (const contrast of contrasts) {
      const prices = normalize(
        from.map((price, i) => price * Math.exp(contrast * ((load[i] ?? 0) / fullest - 1))),
      );
      const value = totalPrice(demands, prices);
      if (value > best.value) best = { value, prices };
    }
  }
  return best.prices;
}

/** Tells the load of each backend, and moves a little work away from the fullest ones. */
function shareOut(demands: readonly Demand[], shares: Shares, load: Float64Array): number {
  load.fill(0);
  for (const [at, { work, able, cost }] of demands.entries()) {
    const own = shares[at] ?? new Float64Array();
    const sum = own.reduce((total, share) => total + share, 0);
    for (const [place, index] of able.entries()) {
      const share = (own[place] ?? 0) / sum;
      own[place] = share;
      load[index] = (load[index] ?? 0) + work * share * (cost[index] ?? 0);
    }
  }
  const fullest = load.reduce((most, ms) => Math.max(most, ms), 0);
  const factor = load.map((ms) => Math.exp(-0.5 * (ms / fullest - 1)));
  for (const [at, { able }] of demands.entries()) {
    const own = shares[at] ?? new Float64Array();
    for (const [place, index] of able.entries()) own[place] = (own[place] ?? 0) * (factor[index] ?? 1);
  }
  return fullest;
}

function normalize(prices: Float64Array): Float64Array {
  const sum = prices.reduce((total, price) => total + price, 0);
  return prices.map((price) => price / sum);
}

/** Prices by speed alone, to begin with. */
export function pricesBySpeed(backends: readonly Pick<SimBackend, 'speed'>[]): Float64Array {
  return normalize(Float64Array.from(backends, ({ speed }) => speed));
}

/** Prices between two, evenly in the logarithm. */
export function mix(a: Float64Array, b: Float64Array, share: number): Float64Array {
  return normalize(a.map((price, index) => price ** (1 - share) * (b[index] ?? 0) ** share));
}

/** How fast the fleet works off jobs of these weights with everything in memory: ms between two that are done. */
export function msPerJob(
  backends: readonly SimBackend[],
  workflows: readonly SimWorkflow[],
  weights: readonly number[],
): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const cost = Float64Array.from(backends, ({ speed }) => 1 / speed);
  const demands = workflows.map(({ index, runMs }): Demand => ({
    work: (runMs * (weights[index] ?? 0)) / total,
    able: backends.filter((backend) => backend.workflows.has(index)).map((backend) => backend.index),
    cost,
  }));
  return totalPrice(demands, findPrices(demands, { from: pricesBySpeed(backends), rounds: 300 }));
}
