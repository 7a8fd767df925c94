import { expect, test } from 'vitest';

import { aClaim, aKind, aSeat } from './_claims.ts';
import type { Costs } from './_claims.ts';
import { seededRuns } from './_random.ts';
import type { Random } from './_random.ts';
import { createWorld } from './_world.ts';
import type { World } from './_world.ts';

const kinds = [
  aKind('upscale'),
  aKind('portrait', { models: ['sdxl'] }),
  aKind('landscape', { models: ['sdxl', 'lora'] }),
  aKind('video', { models: ['wan'] }),
];

interface Fleet {
  world: World;
  random: Random;
  /** Seats that can run a kind. */
  able(workflow: string): string[];
}

function randomFleet(random: Random): Fleet {
  const names = Array.from({ length: random.between(1, 10) }, (_, index) => `seat${index}`);
  const costs: Costs = {};
  for (const { work } of kinds) {
    const able = names.filter(() => random.chance(0.7));
    costs[work.workflow] = Object.fromEntries(
      able.map((name) => [name, { runMs: random.between(100, 20_000), loadMs: random.between(0, 30_000) }]),
    );
  }
  const seats = names.map((name) =>
    aSeat(name, { freeSlots: random.between(1, 2), weight: random.pick([0.5, 1, 3]) }),
  );
  const world = createWorld({ seats, costs, takes: (ms) => ms * random.pick([0.1, 1, 1, 1, 4]) });
  return { world, random, able: (workflow) => Object.keys(costs[workflow] ?? {}) };
}

/** Jobs that come, go, are raised, fail and try again, on machines that come and go. Returns those that were given up. */
function liveThrough({ world, random }: Fleet): Set<string> {
  const givenUp = new Set<string>();
  const coming = random.between(1, 120);
  for (let job = 0; job < coming; job += 1) {
    const owner = random.pick(['ann', 'bob', 'cy', `new${job}`]);
    const priority = random.pick([0, 0, 0, 1, -1]);
    world.add(aClaim(`${job}`, { owner, priority, kind: random.pick(kinds) }));
    if (random.chance(0.5)) world.decide();
    if (random.chance(0.4)) world.advance();
    const other = `${random.between(0, job)}`;
    if (random.chance(0.1) && world.policy.get(other) !== undefined) {
      world.policy.forget(other);
      givenUp.add(other);
    }
    if (random.chance(0.1)) world.policy.reprioritize(other, random.between(-2, 2));
    if (random.chance(0.1)) world.forecast(other);
    if (random.chance(0.05)) {
      const seat = random.pick(world.seats);
      seat.isReady = !seat.isReady;
      world.changeEpoch();
    }
  }
  for (const seat of world.seats) seat.isReady = true;
  world.changeEpoch();
  world.runAll();
  return givenUp;
}

test('every job that can be run is started exactly once, and what was given up never', () => {
  for (const { seed, random } of seededRuns(200)) {
    const fleet = randomFleet(random);
    const givenUp = liveThrough(fleet);
    const { started, policy } = fleet.world;
    const ids = started.map(({ id }) => id);
    expect(new Set(ids).size, `seed ${seed}`).toBe(ids.length);
    for (const id of ids) {
      expect(givenUp.has(id), `seed ${seed}, job ${id}`).toBe(false);
      expect(policy.get(id), `seed ${seed}, job ${id}`).toBeUndefined();
    }
    for (let job = 0; policy.size > 0 && job < 120; job += 1) {
      const waiting = policy.get(`${job}`);
      if (waiting === undefined) continue;
      expect(fleet.able(waiting.kind.work.workflow), `seed ${seed}, job ${job} waits`).toEqual([]);
      policy.forget(`${job}`);
    }
    expect(policy.size, `seed ${seed}`).toBe(0);
  }
});

test('a job that fails on one machine after another is tried on each before it comes back to one', () => {
  for (const { seed, random } of seededRuns(50)) {
    const { world, able } = randomFleet(random);
    const kind = random.pick(kinds);
    const seats = able(kind.work.workflow);
    const excluded: string[] = [];
    for (let attempt = 0; attempt < seats.length; attempt += 1) {
      world.add(aClaim('unlucky', { kind, excluded: [...excluded] }));
      world.runAll();
      const { seat = '' } = world.started.at(-1) ?? {};
      expect(excluded, `seed ${seed}`).not.toContain(seat);
      excluded.push(seat);
    }
    expect(excluded.toSorted(), `seed ${seed}`).toEqual(seats.toSorted());
  }
});

test('the same happenings lead to the same decisions', () => {
  const [once, again] = [0, 1].map(() =>
    Array.from(seededRuns(30), ({ random }) => {
      const fleet = randomFleet(random);
      liveThrough(fleet);
      return fleet.world.started;
    }),
  );
  expect(again).toEqual(once);
});

test('no machine stands idle for long while a job waits that nobody else would finish sooner', () => {
  for (const { seed, random } of seededRuns(100)) {
    const names = Array.from({ length: random.between(1, 6) }, (_, index) => `seat${index}`);
    const world = createWorld({
      seats: names.map((name) => aSeat(name)),
      costs: {
        plain: Object.fromEntries(names.map((name) => [name, { runMs: random.between(500, 4_000) }])),
      },
    });
    const count = random.between(10, 80);
    for (let job = 0; job < count; job += 1)
      world.add(aClaim(`${job}`, { owner: random.pick(['ann', 'bob']) }));
    world.runAll();
    // All at work until the end, but for the last run of each.
    const speed = names.map((name) => world.started.filter(({ seat }) => seat === name).length);
    expect(
      speed.reduce((sum, jobs) => sum + jobs, 0),
      `seed ${seed}`,
    ).toBe(count);
    expect(world.now(), `seed ${seed}`).toBeLessThanOrEqual((count * 4_000) / names.length + 8_000);
  }
});
