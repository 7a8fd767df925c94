import { createRandom } from './random.ts';
import type { Strategy } from './simulate.ts';
import type { SimJob, World } from './world.ts';

export type MakeStrategy = (world: World, seed: number) => Strategy;

/** One of the backends that can run it; `load` is how many jobs each has, the running one included. */
type Choose = (able: readonly number[], load: (index: number) => number) => number;

/** Binds a job to a backend when it comes, as balancers do: each backend has a queue of its own. */
function bindAtOnce({ backends }: World, choose: Choose): Strategy {
  const loads = backends.map(() => 0);
  const ableFor = new Map<number, readonly number[]>();
  let arrived: { job: SimJob; backend: number }[] = [];
  function ableOf(workflow: number): readonly number[] {
    let able = ableFor.get(workflow);
    if (able === undefined) {
      able = backends.filter(({ workflows }) => workflows.has(workflow)).map(({ index }) => index);
      ableFor.set(workflow, able);
    }
    return able;
  }
  return {
    arrive(job) {
      const backend = choose(ableOf(job.workflow.index), (index) => loads[index] ?? 0);
      loads[backend] = (loads[backend] ?? 0) + 1;
      arrived.push({ job, backend });
    },
    decide() {
      const place = arrived;
      arrived = [];
      return { place };
    },
    finished({ backend: { index } }) {
      loads[index] = (loads[index] ?? 0) - 1;
    },
  };
}

export function roundRobin(world: World): Strategy {
  let turn = -1;
  return bindAtOnce(world, (able) => able[(turn += 1) % able.length] ?? 0);
}

export function anyOne(world: World, seed: number): Strategy {
  const random = createRandom(seed);
  return bindAtOnce(world, (able) => able[Math.floor(random.next() * able.length)] ?? 0);
}

/** What the bridge that this one replaces does. */
export function fewestQueued(world: World): Strategy {
  return bindAtOnce(world, (able, load) =>
    able.reduce((best, index) => (load(index) < load(best) ? index : best), able[0] ?? 0),
  );
}

export function powerOfTwo(world: World, seed: number): Strategy {
  const random = createRandom(seed);
  return bindAtOnce(world, (able, load) => {
    const [a = 0, b = 0] = [0, 1].map(() => able[Math.floor(random.next() * able.length)]);
    return load(b) < load(a) ? b : a;
  });
}
