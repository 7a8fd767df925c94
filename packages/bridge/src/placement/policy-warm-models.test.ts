import { describe, expect, test } from 'vitest';

import { aClaim, aKind, aSeat } from './_claims.ts';
import { seededRuns } from './_random.ts';
import { createWorld, jobsOf } from './_world.ts';

const sdxl = aKind('sdxl', { models: ['sdxl'] });
const flux = aKind('flux', { models: ['flux'] });
const wan = aKind('wan', { models: ['wan'] });

describe('models in memory', () => {
  const costs = Object.fromEntries(['sdxl', 'flux', 'wan'].map((name) => [name, { a: { loadMs: 10_000 } }]));

  test("an owner's first job is passed over once at most, also while it is next but one", () => {
    const world = createWorld({ seats: [aSeat('a')], costs });
    world.add(
      aClaim('0', { kind: flux }),
      aClaim('cold', { kind: sdxl }),
      ...jobsOf('ann', 40, { kind: flux }),
    );
    world.decide();
    world.add(aClaim('bob', { owner: 'bob', kind: wan }));
    expect(world.policy.positionOf('bob')).toBeLessThanOrEqual(1);
    world.runAll();
    // `cold`, one that passes, and whatever begins at the moment.
    expect(world.started.findIndex(({ id }) => id === 'bob')).toBeLessThanOrEqual(4);
  });

  test('nobody is passed over for longer than twice the time of a load, whatever the kinds', () => {
    const kinds = ['k1', 'k2', 'k3', 'k4', 'k5'].map((name) => aKind(name, { models: [name] }));
    for (const { seed, random } of seededRuns(300)) {
      const runMs = kinds.map(() => random.between(1, 20) * 100);
      const world = createWorld({
        seats: [aSeat('a')],
        costs: Object.fromEntries(
          kinds.map(({ work }, at) => [work.workflow, { a: { runMs: runMs[at] ?? 0, loadMs: 10_000 } }]),
        ),
      });
      const few = random.between(2, 5);
      const takes = Array.from({ length: 80 }, (_, index) => {
        const at = random.between(0, few - 1);
        world.add(aClaim(`${index}`, { kind: kinds[at] ?? sdxl }));
        return runMs[at] ?? 0;
      });
      world.runAll();
      const started = world.started.map(({ id }) => Number(id));
      for (const [place, id] of started.entries()) {
        const passedBy = started.slice(0, place).filter((other) => other > id);
        const ms = passedBy.reduce((sum, other) => sum + (takes[other] ?? 0), 0);
        expect(ms, `seed ${seed}, job ${id}`).toBeLessThanOrEqual(20_000);
      }
    }
  });
});
