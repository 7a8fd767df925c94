import { createRandom } from './random.ts';
import type { SimBackend, SimJob, SimWorkflow, World } from './world.ts';

/** What the files in `workflows/` do: so many steps each, with a checkpoint of its own. */
const stepsOf = { sketch: 8, portrait: 14, scene: 24, poster: 40 } as const;
/** Loading takes as long as so many steps. */
const stepsPerLoad = 3;
const modelGb = 6;

export interface LiveWorld extends World {
  /** At speed 1. */
  stepMs: number;
}

/** Eight backends that hold one to three models in memory; each has some of the four. */
const backends = [
  { speed: 1, diskSpeed: 1, memoryGb: 8, has: ['sketch', 'portrait'] },
  { speed: 1.4, diskSpeed: 2, memoryGb: 14, has: ['sketch', 'portrait', 'scene'] },
  { speed: 2, diskSpeed: 1, memoryGb: 8, has: ['sketch', 'scene', 'poster'] },
  { speed: 2.5, diskSpeed: 1.5, memoryGb: 14, has: ['sketch', 'portrait', 'scene', 'poster'] },
  { speed: 3.5, diskSpeed: 2, memoryGb: 20, has: ['sketch', 'portrait', 'poster'] },
  { speed: 5, diskSpeed: 1, memoryGb: 14, has: ['portrait', 'scene', 'poster'] },
  { speed: 6, diskSpeed: 1.5, memoryGb: 20, has: ['sketch', 'portrait', 'scene', 'poster'] },
  { speed: 8, diskSpeed: 2, memoryGb: 8, has: ['sketch', 'portrait', 'scene', 'poster'] },
];

/** The same fleet and the same jobs for the simulation and for real sockets. */
export function buildLiveWorld(count: number, stepMs: number): LiveWorld {
  const random = createRandom(1);
  const workflows = Object.entries(stepsOf).map(([name, steps], index): SimWorkflow => {
    return {
      index,
      name,
      runMs: steps * stepMs,
      loadMs: stepsPerLoad * stepMs,
      model: `${name}.safetensors`,
      modelGb,
    };
  });
  const names = workflows.map(({ name }) => name);
  const jobs = Array.from({ length: count }, (_, index): SimJob => {
    const workflow = workflows[random.weighted([4, 3, 2, 1])];
    if (workflow === undefined) throw new Error('there are four workflows');
    return { index, id: String(index), at: 0, workflow, owner: 'everybody', noise: 1 };
  });
  return {
    stepMs,
    workflows,
    jobs,
    backends: backends.map(({ has, ...machine }, index): SimBackend => {
      return {
        ...machine,
        index,
        name: `live-${index}`,
        workflows: new Set(has.map((name) => names.indexOf(name))),
      };
    }),
  };
}

/** What a simulated ComfyUI has to be told to be such a backend. */
export function toSimOptions(backend: SimBackend, { workflows, stepMs }: LiveWorld) {
  const has = workflows.filter(({ index }) => backend.workflows.has(index));
  return {
    name: backend.name,
    mode: 'free' as const,
    stepMs: stepMs / backend.speed,
    modelLoadMs: (stepsPerLoad * stepMs) / backend.diskSpeed,
    models: { checkpoints: has.map(({ model }) => model) },
    vramTotal: backend.memoryGb * 1024 ** 3,
    needs: Object.fromEntries(has.map(({ model }) => [`checkpoints/${model}`, modelGb * 1024 ** 3])),
  };
}
