import { EventQueue } from './event-queue.ts';
import { loadMsOn, runMsOn } from './world.ts';
import type { SimBackend, SimJob, SimWorkflow, World } from './world.ts';

/** Decides where jobs go; it sees what a bridge sees, and not what a job will really take. */
export interface Strategy {
  arrive(job: SimJob): void;
  /** What to do now: jobs that have not begun may be taken back, and then others, or the same, placed. */
  decide(now: number): Decision;
  began?(job: SimJob, backend: SimBackend, now: number): void;
  finished?(run: FinishedRun, now: number): void;
  /** When it wants to think again although nothing happens; ms from now. */
  wakeAfter?(): number | undefined;
}

export interface Decision {
  takeBack?: readonly SimJob[];
  /** Each goes to the end of its backend's queue. */
  place: readonly { job: SimJob; backend: number }[];
}

export interface FinishedRun {
  job: SimJob;
  backend: SimBackend;
  ms: number;
}

export interface Run {
  job: SimJob;
  backend: number;
  start: number;
  /** When its models were in memory: `start` if they were. */
  loadedAt: number;
  end: number;
}

export interface Outcome {
  /** ms from the first arrival to the last end */
  totalMs: number;
  /** In the order of their ends. */
  runs: Run[];
  /** Real time that the strategy took, ms. */
  thinkingMs: number;
}

interface Machine {
  backend: SimBackend;
  queue: SimJob[];
  running: Run | undefined;
  /** Workflows whose models are in memory, and GB; the one used longest ago first. */
  loaded: Map<SimWorkflow, number>;
}

/** Plays a world in virtual time: only events, no clock. A machine runs its queue in order, one job at a time. */
export function simulate(world: World, strategy: Strategy): Outcome {
  const machines = world.backends.map((backend): Machine => ({
    backend,
    queue: [],
    running: undefined,
    loaded: new Map(),
  }));
  const ends = new EventQueue<Machine>();
  const outcome: Outcome = { totalMs: 0, runs: [], thinkingMs: 0 };
  const startedAt = world.jobs[0]?.at ?? 0;
  let next = 0;
  let wakeAt = Number.POSITIVE_INFINITY;

  function think<T>(what: () => T): T {
    const began = performance.now();
    const result = what();
    outcome.thinkingMs += performance.now() - began;
    return result;
  }

  function begin(machine: Machine, now: number): void {
    const { backend, queue } = machine;
    if (machine.running !== undefined) return;
    const job = queue.shift();
    if (job === undefined) return;
    const loadedAt = now + (load(machine, job.workflow) ? loadMsOn(job.workflow, backend) : 0);
    const end = loadedAt + runMsOn(job, backend);
    machine.running = { job, backend: backend.index, start: now, loadedAt, end };
    ends.push(end, machine);
    think(() => strategy.began?.(job, backend, now));
  }

  function end(machine: Machine, now: number): void {
    const { backend, running } = machine;
    if (running === undefined) return;
    machine.running = undefined;
    outcome.runs.push(running);
    outcome.totalMs = now - startedAt;
    think(() => strategy.finished?.({ job: running.job, backend, ms: now - running.start }, now));
    begin(machine, now);
  }

  function follow({ takeBack = [], place }: Decision, now: number): void {
    for (const job of takeBack) {
      for (const { queue } of machines) if (queue.includes(job)) queue.splice(queue.indexOf(job), 1);
    }
    for (const { job, backend } of place) {
      const machine = machines[backend];
      if (machine?.backend.workflows.has(job.workflow.index) !== true)
        throw new Error('a strategy used a machine that cannot');
      machine.queue.push(job);
      begin(machine, now);
    }
  }

  while (outcome.runs.length < world.jobs.length) {
    const now = Math.min(world.jobs[next]?.at ?? Number.POSITIVE_INFINITY, ends.nextAt, wakeAt);
    if (now === Number.POSITIVE_INFINITY) throw new Error('a strategy left jobs waiting for ever');
    for (let job = world.jobs[next]; job !== undefined && job.at <= now; job = world.jobs[next]) {
      const arrived = job;
      next += 1;
      think(() => strategy.arrive(arrived));
    }
    while (ends.nextAt <= now) {
      const machine = ends.pop();
      if (machine !== undefined) end(machine, now);
    }
    follow(
      think(() => strategy.decide(now)),
      now,
    );
    wakeAt = now + (strategy.wakeAfter?.() ?? Number.POSITIVE_INFINITY);
  }
  return outcome;
}

/** True when it was not in memory. What was used longest ago makes room. */
function load({ backend, loaded }: Machine, workflow: SimWorkflow): boolean {
  const isCold = !loaded.delete(workflow);
  let free = backend.memoryGb - [...loaded.values()].reduce((sum, size) => sum + size, 0);
  for (const [oldest, size] of loaded) {
    if (free >= workflow.modelGb) break;
    loaded.delete(oldest);
    free += size;
  }
  loaded.set(workflow, workflow.modelGb);
  return isCold;
}
