import { createRandom } from './random.ts';
import type { Random } from './random.ts';
import { msPerJob } from './prices.ts';
import type { Scenario } from './scenario.ts';

export interface SimBackend {
  index: number;
  name: string;
  speed: number;
  diskSpeed: number;
  memoryGb: number;
  /** Indexes of those that it has everything for. */
  workflows: ReadonlySet<number>;
}

export interface SimWorkflow {
  index: number;
  name: string;
  /** At speed 1, with everything loaded. */
  runMs: number;
  loadMs: number;
  model: string;
  modelGb: number;
}

export interface SimJob {
  /** In the order of arrival. */
  index: number;
  id: string;
  at: number;
  workflow: SimWorkflow;
  owner: string;
  /** What it takes more or less than its workflow does on average, as a factor. */
  noise: number;
}

export interface World {
  backends: readonly SimBackend[];
  workflows: readonly SimWorkflow[];
  /** By arrival. */
  jobs: readonly SimJob[];
}

/** Builds what a scenario describes; the same seed builds the same. Another `day` brings other jobs to the same fleet. */
export function buildWorld(scenario: Scenario, seed: number, day = 0): World {
  const random = createRandom(seed);
  const workflows = Array.from({ length: scenario.workflows }, (_, index): SimWorkflow => ({
    index,
    name: `workflow-${index}`,
    runMs: random.logBetween(...scenario.runSeconds) * 1_000,
    loadMs: random.logBetween(...scenario.loadSeconds) * 1_000,
    model: `model-${index}.safetensors`,
    modelGb: Math.min(scenario.memoryGb[1] * 0.8, random.logBetween(...scenario.modelGb)),
  }));
  const backends = buildBackends(scenario, workflows, random);
  const weights = workflows.map((_, index) => (index + 1) ** -scenario.skew);
  const gapMs = msPerJob(backends, workflows, weights);
  return {
    backends,
    workflows,
    jobs: buildJobs(scenario, workflows, { weights, gapMs }, createRandom(seed + 7_919 * (day + 1))),
  };
}

function buildBackends(scenario: Scenario, workflows: readonly SimWorkflow[], random: Random): SimBackend[] {
  const backends = Array.from({ length: scenario.backends }, (_, index): SimBackend => {
    const memoryGb = random.logBetween(...scenario.memoryGb);
    const has = workflows.filter(({ modelGb }) => modelGb <= memoryGb && random.next() < scenario.coverage);
    return {
      index,
      name: `backend-${index}`,
      speed: random.logBetween(...scenario.speed),
      diskSpeed: random.logBetween(...scenario.diskSpeed),
      memoryGb,
      workflows: new Set(has.map((workflow) => workflow.index)),
    };
  });
  // Whatever is asked for can be run by somebody: the machine with the most memory has it.
  const biggest = backends.toSorted((a, b) => b.memoryGb - a.memoryGb)[0];
  for (const { index, modelGb } of workflows) {
    if (biggest === undefined || backends.some((backend) => backend.workflows.has(index))) continue;
    biggest.workflows = new Set([...biggest.workflows, index]);
    biggest.memoryGb = Math.max(biggest.memoryGb, modelGb);
  }
  return backends;
}

/** `gapMs`: between two jobs that come as fast as the fleet can work them off. */
function buildJobs(
  { jobs, arrival, owners, noise }: Scenario,
  workflows: readonly SimWorkflow[],
  { weights, gapMs }: { weights: readonly number[]; gapMs: number },
  random: Random,
): SimJob[] {
  let at = 0;
  return Array.from({ length: jobs }, (_, index): SimJob => {
    if (arrival.kind === 'steady') at += random.exponential(gapMs / arrival.load);
    if (arrival.kind === 'bursts' && index % arrival.size === 0 && index > 0)
      at += random.exponential((gapMs * arrival.size) / arrival.load);
    const workflow = workflows[random.weighted(weights)];
    if (workflow === undefined) throw new Error('a scenario needs a workflow');
    return {
      index,
      id: String(index),
      at,
      workflow,
      // Few owners bring most of the jobs.
      owner: `owner-${Math.floor(random.next() ** 2 * owners)}`,
      noise: Math.exp(random.normal() * noise),
    };
  });
}

export function runMsOn({ workflow, noise }: SimJob, { speed }: SimBackend): number {
  return (workflow.runMs / speed) * noise;
}

export function loadMsOn(workflow: SimWorkflow, { diskSpeed }: SimBackend): number {
  return workflow.loadMs / diskSpeed;
}

export function isAtOnce({ jobs }: World): boolean {
  return jobs.at(-1)?.at === jobs[0]?.at;
}
