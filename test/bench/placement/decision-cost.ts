import { createCostModel } from '../../../packages/bridge/src/placement/cost-model.ts';
import { createKinds } from '../../../packages/bridge/src/placement/kind.ts';
import type { Kind } from '../../../packages/bridge/src/placement/kind.ts';
import { createPlacementPolicy } from '../../../packages/bridge/src/placement/placement-policy.ts';
import type { Placement } from '../../../packages/bridge/src/placement/placement-policy.ts';
import { isWarm } from '../../../packages/bridge/src/placement/seat.ts';
import type { Seat } from '../../../packages/bridge/src/placement/seat.ts';
import type { Row } from '../_report.ts';
import { EventQueue } from './event-queue.ts';
import { createRandom } from './random.ts';

const fleetSizes = [4, 32, 250, 1_000];
const queueLengths = [10, 100, 1_000, 10_000];
const workflows = 12;
const owners = 10;
const windows = 5;
/** Prompts per backend: one that runs and one that is ready to follow, as the bridge does by default. */
const slots = 2;

/** How long the bridge waits before it thinks over why a machine stays idle. */
const reconsiderMs = 250;

type MutableSeat = { -readonly [K in keyof Seat]: Seat[K] };

interface Machine {
  seat: MutableSeat;
  speed: number;
  queue: { id: string; kind: Kind; expectedMs: number; isCold: boolean }[];
  /** The kind that it ran last. */
  loaded: Kind | undefined;
  running: boolean;
  startedAt: number;
}

/**
 * What the policy takes for one job, everything counted: adding it, deciding where it goes, learning from its end, and
 * what the cost model takes. The queue is kept at its length: a job that ends brings another.
 */
export function measureDecisionCost({ quick }: { quick: boolean }): Row[] {
  const rows: Row[] = [];
  let base: number | undefined;
  for (const backends of quick ? [4, 1_000] : fleetSizes) {
    for (const queued of quick ? [10, 10_000] : queueLengths) {
      const us = measure(backends, queued, quick ? 2_000 : 6_000);
      base ??= us.perJob;
      rows.push({
        scenario: `decision, ${backends} backends`,
        what: `${queued} jobs queued: per placed job`,
        value: us.perJob,
        unit: 'µs',
        reference: { label: '4 backends, 10 jobs', value: base },
        gate: { atMost: 1_000 },
        stretch: { atMost: 2 * base },
        notes: `longest decision ${us.longest.toFixed(0)} µs`,
      });
    }
  }
  return rows;
}

/**
 * `jobs`: how many are placed while it is measured; half as many, and a few for each backend, warm up. They are measured in
 * windows, of which the quietest counts: other programs share the machine.
 */
export function measure(backends: number, queued: number, jobs: number): { perJob: number; longest: number } {
  const world = createWorld(backends, queued);
  const { figures } = world;
  const warmUp = jobs / 2 + backends * 4;
  while (figures.placed < warmUp) world.step();
  let perJob = Number.POSITIVE_INFINITY;
  figures.longest = 0;
  for (let window = 0; window < windows; window += 1) {
    const before = { ...figures };
    while (figures.placed < before.placed + jobs / windows) world.step();
    perJob = Math.min(perJob, (figures.us - before.us) / (figures.placed - before.placed));
  }
  return { perJob, longest: figures.longest };
}

function createWorld(backends: number, queued: number) {
  const random = createRandom(1);
  const costs = createCostModel();
  const kinds = createKinds();
  const all = Array.from({ length: workflows }, (_, index) =>
    kinds.intern(`workflow-${index}`, 0, {
      key: String(index),
      nodeClasses: [],
      choices: [],
      models: [`model-${index}`],
    }),
  );
  const runMs = all.map(() => random.logBetween(10_000, 60_000));
  const weights = all.map((_, index) => 1 / (index + 1));
  const machines = Array.from({ length: backends }, (_, index): Machine => ({
    seat: {
      name: `backend-${index}`,
      isReady: true,
      freeSlots: slots,
      freeAt: 0,
      warmModels: new Set(),
      weight: 1,
    },
    speed: random.logBetween(1, 10),
    queue: [],
    loaded: undefined,
    running: false,
    startedAt: 0,
  }));
  const seats = machines.map(({ seat }) => seat);
  const able = new Map(
    seats.map(({ name }, index) => [name, new Set(all.filter(() => index === 0 || random.next() < 0.7))]),
  );
  const policy = createPlacementPolicy({
    judge(kind, { name }) {
      if (able.get(name)?.has(kind) !== true) return undefined;
      const { work } = kind;
      const { ms, basis } = costs.run(work, name);
      return { runMs: ms, loadMs: costs.loadMs(work, name), isProven: basis === 'here' };
    },
    classify: ({ kind }) => kind,
    epoch: () => 0,
    costsVersion: () => costs.version,
  });
  const modelSets = new Map(all.map((kind) => [kind, new Set(kind.work.models)]));
  const ends = new EventQueue<number>();
  const figures = { us: 0, placed: 0, longest: 0 };
  let now = 0;
  let count = 0;

  function timed<T>(what: () => T): T {
    const began = performance.now();
    const result = what();
    const us = (performance.now() - began) * 1_000;
    figures.us += us;
    if (us > figures.longest) figures.longest = us;
    return result;
  }

  function addJob(): void {
    const kind = all[random.weighted(weights)];
    if (kind === undefined) return;
    const id = String((count += 1));
    const owner = `owner-${Math.floor(random.next() ** 2 * owners)}`;
    timed(() => policy.add({ id, owner, priority: 0, createdAt: now, kind, excluded: [] }));
  }

  function begin(index: number, machine: Machine): void {
    const [job] = machine.queue;
    if (job === undefined || machine.running) return;
    machine.running = true;
    machine.startedAt = now;
    const loadMs = machine.loaded === job.kind ? 0 : 15_000;
    machine.loaded = job.kind;
    const noise = Math.exp(random.normal() * 0.1);
    ends.push(now + loadMs + ((runMs[all.indexOf(job.kind)] ?? 0) / machine.speed) * noise, index);
  }

  function endRun(index: number): void {
    const machine = machines[index];
    const job = machine?.queue.shift();
    if (machine === undefined || job === undefined) return;
    const { seat } = machine;
    machine.running = false;
    seat.freeSlots += 1;
    seat.freeAt = machine.queue.reduce((sum, { expectedMs }) => sum + expectedMs, now);
    const { id, kind, isCold } = job;
    timed(() => {
      costs.record({ work: kind.work, backend: seat.name, ms: now - machine.startedAt, isCold });
      policy.learned(kind, index);
      policy.forget(id);
    });
    begin(index, machine);
    addJob();
  }

  function place({ id, seat: index, kind }: Placement): void {
    const machine = machines[index];
    if (machine === undefined) return;
    const { seat, queue } = machine;
    const isCold = !isWarm(kind, seat.warmModels);
    const expectedMs = timed(
      () => costs.run(kind.work, seat.name).ms + (isCold ? costs.loadMs(kind.work, seat.name) : 0),
    );
    queue.push({ id, kind, expectedMs, isCold });
    seat.freeSlots -= 1;
    seat.freeAt = Math.max(seat.freeAt, now) + expectedMs;
    seat.warmModels = modelSets.get(kind) ?? new Set();
    figures.placed += 1;
    begin(index, machine);
  }

  while (policy.size < queued + backends * slots) addJob();
  return {
    figures,
    step(): void {
      const wakeAt = policy.isPatient ? now + reconsiderMs : Number.POSITIVE_INFINITY;
      if (ends.nextAt < Number.POSITIVE_INFINITY) now = Math.min(wakeAt, ends.nextAt);
      while (ends.nextAt <= now) endRun(ends.pop() ?? 0);
      for (const placement of timed(() => policy.decide(seats, now))) place(placement);
    },
  };
}
