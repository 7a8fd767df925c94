import { learn } from './estimate.ts';
import type { Estimate } from './estimate.ts';
import { parseEstimateRow, toEstimateRow } from './estimate-row.ts';
import { SizeCurve } from './size-curve.ts';

/** What is run, as far as its cost depends on it. */
export interface Work {
  workflow: string;
  /** Half powers of two of the work, see `toSizeClass`. */
  sizeClass: number;
  /** What has to be in memory; empty when nothing has to be loaded. */
  models: readonly string[];
}

export interface Expected {
  ms: number;
  /** Mean deviation of the logarithm: 0.1 is about ten per cent up or down. */
  spread: number;
  /** Where it is from: runs of this workflow on this backend, on others, or only other workflows. */
  basis: 'here' | 'elsewhere' | 'guess';
}

export interface CostModel {
  /** A run with everything loaded. */
  run(work: Work, backend: string): Expected;
  /** What loading the models adds, in ms; 0 for work without models. */
  loadMs(work: Work, backend: string): number;
  record(run: { work: Work; backend: string; ms: number; isCold: boolean }): void;
  /** Its name may come back for another machine. */
  forgetBackend(backend: string): void;
  /** Grows with every record. */
  readonly version: number;
  /** What changed since the last call, to be stored: keys and plain texts; an empty text where there is nothing any more. */
  takeChanges(): Map<string, string>;
  /** Brings back what was stored; rows that are not ours are left out. */
  restore(rows: ReadonlyMap<string, string>): void;
}

const defaultRunMs = 5_000;
const defaultLoadMs = 3_000;
/** Of a first run, with the models loaded, so much is taken for the loading until a second one tells. */
const loadShareOfFirst = 0.4;
/** Below this a load is not told from noise. */
const leastLoadMs = 50;
const unsureSpread = 0.7;
const elsewhereSpread = 0.3;
/** Nothing is expected to take longer than a month. */
const mostLogMs = Math.log(30 * 24 * 3_600_000);
const maxWorkflows = 5_000;
const maxLoads = 5_000;

interface WorkflowCosts {
  /** Everything loaded, as a machine of common speed does it. */
  warm: SizeCurve;
  /** First runs, before one with everything loaded was seen. */
  first: SizeCurve;
  /** As that backend does it. */
  byBackend: Map<string, SizeCurve>;
}

interface Speeds {
  /** How much slower than common, as a logarithm. */
  run: Estimate | undefined;
  load: Estimate | undefined;
}

/**
 * Run time as a product: what the workflow takes at that size, times what the backend is slower than others, with what
 * was seen of just that pair counting more with each run. So the first run of a workflow on a machine is expected by how
 * the machine does with other workflows, and of a new machine by how others do. Loading likewise: by models, by machine.
 * All in logarithms of ms, robust against outliers (`estimate.ts`). No clock, no I/O.
 */
export function createCostModel(): CostModel {
  const workflows = new Map<string, WorkflowCosts>();
  const backends = new Map<string, Speeds>();
  const loads = new Map<string, Estimate>();
  const overall: Speeds = { run: undefined, load: undefined };
  /** Rows that are newer than what is stored. */
  const changed = new Map<string, Estimate | undefined>();
  const modelKeys = new WeakMap<readonly string[], string>();
  let version = 0;

  function costsOf(workflow: string): WorkflowCosts {
    let costs = workflows.get(workflow);
    if (costs !== undefined) return costs;
    costs = { warm: new SizeCurve(), first: new SizeCurve(), byBackend: new Map() };
    workflows.set(workflow, costs);
    dropOldest(workflows, maxWorkflows);
    return costs;
  }

  function pairOf(workflow: string, backend: string): SizeCurve {
    const { byBackend } = costsOf(workflow);
    let curve = byBackend.get(backend);
    if (curve === undefined) byBackend.set(backend, (curve = new SizeCurve()));
    return curve;
  }

  function speedsOf(backend: string): Speeds {
    let speeds = backends.get(backend);
    if (speeds === undefined) backends.set(backend, (speeds = { run: undefined, load: undefined }));
    return speeds;
  }

  function modelsKey(models: readonly string[]): string {
    let key = modelKeys.get(models);
    if (key === undefined) modelKeys.set(models, (key = JSON.stringify(models)));
    return key;
  }

  const runSpeed = (backend: string) => backends.get(backend)?.run?.mean ?? 0;
  const loadSpeed = (backend: string) => backends.get(backend)?.load?.mean ?? 0;

  function note(parts: readonly (string | number)[], estimate: Estimate): Estimate {
    changed.set(JSON.stringify(parts), estimate);
    return estimate;
  }

  function run({ workflow, sizeClass }: Work, backend: string): Expected {
    const costs = workflows.get(workflow);
    const base = costs?.warm.at(sizeClass);
    if (base === undefined) {
      const first = costs?.first.at(sizeClass);
      const mean =
        first === undefined
          ? (overall.run?.mean ?? Math.log(defaultRunMs))
          : first.mean + Math.log(1 - loadShareOfFirst);
      return {
        ms: toMs(mean + runSpeed(backend)),
        spread: unsureSpread,
        basis: first === undefined ? 'guess' : 'elsewhere',
      };
    }
    const prior = base.mean + runSpeed(backend);
    const pair = costs?.byBackend.get(backend)?.at(sizeClass);
    if (pair === undefined) {
      return { ms: toMs(prior), spread: Math.max(elsewhereSpread, base.spread), basis: 'elsewhere' };
    }
    const mean = (2 * pair.n * pair.mean + prior) / (2 * pair.n + 1);
    return { ms: toMs(mean), spread: pair.spread, basis: 'here' };
  }

  function loadMs({ workflow, sizeClass, models }: Work, backend: string): number {
    if (models.length === 0) return 0;
    const known = loads.get(modelsKey(models));
    if (known !== undefined) return toMs(known.mean + loadSpeed(backend));
    const costs = workflows.get(workflow);
    const first = costs?.first.at(sizeClass);
    if (first !== undefined) {
      const total = Math.exp(first.mean + runSpeed(backend));
      const base = costs?.warm.at(sizeClass);
      if (base === undefined) return total * loadShareOfFirst;
      return Math.max(leastLoadMs, total - Math.exp(base.mean + runSpeed(backend)));
    }
    return Math.exp((overall.load?.mean ?? Math.log(defaultLoadMs)) + loadSpeed(backend));
  }

  function recordWarm({ workflow, sizeClass }: Work, backend: string, observed: number): void {
    const { warm } = costsOf(workflow);
    const base = warm.exact(sizeClass);
    const speeds = speedsOf(backend);
    // Before the base takes it: a new machine that is slow is no reason to think the workflow slower.
    if (base !== undefined) {
      speeds.run = note(['speed', backend], learn(speeds.run, observed - base.mean));
    }
    const common = observed - runSpeed(backend);
    note(['warm', workflow, sizeClass], warm.learn(sizeClass, common));
    note(['pair', workflow, sizeClass, backend], pairOf(workflow, backend).learn(sizeClass, observed));
    overall.run = note(['overall'], learn(overall.run, common));
  }

  function recordCold(work: Work, backend: string, ms: number): void {
    const { workflow, sizeClass, models } = work;
    const costs = costsOf(workflow);
    if (costs.warm.at(sizeClass) === undefined) {
      const common = Math.log(ms) - runSpeed(backend);
      note(['first', workflow, sizeClass], costs.first.learn(sizeClass, common));
      return;
    }
    const observed = Math.log(Math.max(leastLoadMs, ms - run(work, backend).ms));
    const key = modelsKey(models);
    const known = loads.get(key);
    const speeds = speedsOf(backend);
    if (known !== undefined) {
      speeds.load = note(['load-speed', backend], learn(speeds.load, observed - known.mean));
    }
    const common = observed - loadSpeed(backend);
    loads.set(key, note(['load', key], learn(known, common)));
    dropOldest(loads, maxLoads);
    overall.load = note(['overall-load'], learn(overall.load, common));
  }

  function restoreRow(parts: readonly unknown[], estimate: Estimate): void {
    const [kind, name, sizeClass, backend] = parts;
    if (kind === 'overall') overall.run = estimate;
    else if (kind === 'overall-load') overall.load = estimate;
    else if (typeof name !== 'string') return;
    else if (kind === 'speed') speedsOf(name).run = estimate;
    else if (kind === 'load-speed') speedsOf(name).load = estimate;
    else if (kind === 'load') loads.set(name, estimate);
    else if (typeof sizeClass !== 'number') return;
    else if (kind === 'warm') costsOf(name).warm.set(sizeClass, estimate);
    else if (kind === 'first') costsOf(name).first.set(sizeClass, estimate);
    else if (kind === 'pair' && typeof backend === 'string') pairOf(name, backend).set(sizeClass, estimate);
  }

  return {
    run,
    loadMs,
    record({ work, backend, ms, isCold }) {
      version += 1;
      const took = Math.max(1, ms);
      if (isCold && work.models.length > 0) recordCold(work, backend, took);
      else recordWarm(work, backend, Math.log(took));
    },
    forgetBackend(backend) {
      version += 1;
      backends.delete(backend);
      for (const kind of ['speed', 'load-speed']) changed.set(JSON.stringify([kind, backend]), undefined);
      for (const [workflow, { byBackend }] of workflows) {
        for (const size of byBackend.get(backend)?.sizes() ?? []) {
          changed.set(JSON.stringify(['pair', workflow, size, backend]), undefined);
        }
        byBackend.delete(backend);
      }
    },
    get version() {
      return version;
    },
    takeChanges() {
      const rows = new Map(
        [...changed].map(([key, estimate]) => [key, estimate === undefined ? '' : toEstimateRow(estimate)]),
      );
      changed.clear();
      return rows;
    },
    restore(rows) {
      for (const [key, text] of rows) {
        const row = parseEstimateRow(key, text);
        if (row !== undefined) restoreRow(row.parts, row.estimate);
      }
      version += 1;
    },
  };
}

/** A map that is full forgets what it has known longest. */
function dropOldest(map: Map<string, unknown>, most: number): void {
  for (const oldest of map.keys()) {
    if (map.size <= most) return;
    map.delete(oldest);
  }
}

function toMs(logMs: number): number {
  return Math.exp(Math.min(mostLogMs, logMs));
}
