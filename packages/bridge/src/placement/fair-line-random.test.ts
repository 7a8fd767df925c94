import { describe, expect, test } from 'vitest';

import { aClaim } from './_claims.ts';
import { seededRuns } from './_random.ts';
import type { Waiting } from './claim.ts';
import { createFairLine } from './fair-line.ts';
import type { FairLine } from './fair-line.ts';

function takeNext(line: FairLine): Waiting {
  const [next] = line;
  if (next === undefined) throw new Error('the line is empty');
  line.take(next);
  return next;
}

test("a flood never keeps another owner's first job waiting for more than one job", () => {
  for (const { seed, random } of seededRuns(200)) {
    const line = createFairLine();
    line.setWidth(random.between(1, 8));
    const count = random.between(2, 200);
    for (let index = 0; index < count; index += 1) {
      line.add(aClaim(`ann${index}`, { owner: 'ann' }), random.between(10, 60_000));
    }
    for (let taken = random.between(0, count - 1); taken > 0; taken -= 1) takeNext(line);
    line.add(aClaim('bob', { owner: 'bob' }), random.between(10, 60_000));
    expect(line.positionOf('bob'), `seed ${seed}`).toBeLessThanOrEqual(1);
  }
});

test('floods of several owners keep a first job waiting for no more than the longest job of each', () => {
  for (const { seed, random } of seededRuns(200)) {
    const line = createFairLine();
    line.setWidth(random.between(1, 8));
    const longest = new Map<string, number>();
    for (let index = 0; index < 300; index += 1) {
      const owner = random.pick(['ann', 'cy', 'di', 'ed']);
      const ms = random.between(100, 20_000);
      longest.set(owner, Math.max(ms, longest.get(owner) ?? 0));
      line.add(aClaim(String(index), { owner }), ms);
    }
    for (let taken = random.between(0, 150); taken > 0; taken -= 1) takeNext(line);
    line.add(aClaim('bob', { owner: 'bob' }), 1_000);
    let workBefore = 0;
    for (let next = takeNext(line); next.id !== 'bob'; next = takeNext(line)) workBefore += next.nominalMs;
    const most = [...longest.values()].reduce((sum, ms) => sum + ms, 0);
    expect(workBefore, `seed ${seed}`).toBeLessThanOrEqual(most);
  }
});

test('over any stretch in which two owners wait, they get the same time but for one job of each', () => {
  for (const { seed, random } of seededRuns(100)) {
    const line = createFairLine();
    line.setWidth(random.between(1, 8));
    const longest = { ann: random.between(1, 20) * 500, bob: random.between(1, 20) * 500 };
    for (const owner of ['ann', 'bob'] as const) {
      for (let index = 0; index < 400; index += 1) {
        line.add(aClaim(`${owner}${index}`, { owner }), random.between(100, longest[owner]));
      }
    }
    const served: Record<string, number> = { ann: 0, bob: 0 };
    while (['ann399', 'bob399'].every((id) => line.get(id) !== undefined)) {
      const { owner, nominalMs } = takeNext(line);
      served[owner] = (served[owner] ?? 0) + nominalMs;
      const difference = Math.abs((served['ann'] ?? 0) - (served['bob'] ?? 0));
      expect(difference, `seed ${seed}`).toBeLessThanOrEqual(longest.ann + longest.bob);
    }
  }
});

describe('ten thousand jobs later, a job has had its turn', () => {
  const mostTakes = 10_000;

  /** How many are served before `id`, while `next` keeps coming. */
  function takesUntil(line: FairLine, id: string, comesNext: (turn: number) => void): number {
    for (let turn = 0; turn < mostTakes; turn += 1) {
      comesNext(turn);
      if (takeNext(line).id === id) return turn;
    }
    return mostTakes;
  }

  test('of low priority, among those of one owner with high priority', () => {
    const line = createFairLine();
    line.add(aClaim('low', { priority: -1 }), 1_000);
    const takes = takesUntil(line, 'low', (turn) =>
      line.add(aClaim(`b${turn}`, { owner: 'bob', priority: 1 }), 1_000),
    );
    expect(takes).toBeLessThan(mostTakes);
  });

  test('of low priority, among those of the same owner with normal priority', () => {
    const line = createFairLine();
    line.add(aClaim('low', { priority: -1 }), 1_000);
    const takes = takesUntil(line, 'low', (turn) => line.add(aClaim(`a${turn}`), 1_000));
    expect(takes).toBeLessThan(mostTakes);
  });

  test('of normal priority, among endless new owners with high priority', () => {
    const line = createFairLine();
    line.add(aClaim('normal'), 1_000);
    for (let index = 0; index < 5; index += 1) {
      line.add(aClaim(`early${index}`, { owner: `early${index}`, priority: 2 }), 1_000);
    }
    const takes = takesUntil(line, 'normal', (turn) =>
      line.add(aClaim(`n${turn}`, { owner: `n${turn}`, priority: 2 }), 1_000),
    );
    expect(takes).toBeLessThan(mostTakes);
  });

  test('the last of a flood, among endless new owners', () => {
    const line = createFairLine();
    for (let index = 0; index < 100; index += 1) line.add(aClaim(`flood${index}`), 1_000);
    for (let index = 0; index < 10; index += 1)
      line.add(aClaim(`early${index}`, { owner: `e${index}` }), 1_000);
    const takes = takesUntil(line, 'flood99', (turn) =>
      line.add(aClaim(`n${turn}`, { owner: `n${turn}` }), 1_000),
    );
    expect(takes).toBeLessThan(mostTakes);
  });

  test('of an owner whose jobs are long, among those of one whose jobs are short', () => {
    const line = createFairLine();
    line.add(aClaim('long1'), 600_000);
    line.add(aClaim('long2'), 600_000);
    const takes = takesUntil(line, 'long2', (turn) => line.add(aClaim(`s${turn}`, { owner: 'bob' }), 1_000));
    expect(takes).toBeLessThan(mostTakes);
  });
});

test('places are those of a list sorted by what each job was told, whatever happens', () => {
  for (const { seed, random } of seededRuns(60)) {
    const line = createFairLine();
    const model = new Map<string, Waiting>();
    const running: string[] = [];
    for (let step = 0; step < 250; step += 1) {
      const owner = random.pick(['ann', 'bob', 'cy']);
      const action = random.between(0, 9);
      const waiting = [...model.keys()];
      if (action < 5 || waiting.length === 0) {
        const id = `${step}`;
        model.set(
          id,
          line.add(aClaim(id, { owner, priority: random.between(-1, 1) }), random.between(1, 9_000)),
        );
      } else if (action < 7) {
        const next = random.chance(0.5) ? waiting[0] : random.pick(waiting);
        const entry = next === undefined ? undefined : model.get(next);
        if (entry === undefined) continue;
        line.take(entry);
        model.delete(entry.id);
        running.push(entry.id);
      } else if (action === 7) {
        const id = random.pick(waiting);
        line.forget(id);
        model.delete(id);
      } else if (action === 8) {
        const id = random.pick(waiting);
        const moved = line.reprioritize(id, random.between(-2, 2));
        if (moved !== undefined) model.set(id, moved);
      } else {
        const id = running.pop();
        if (id !== undefined) model.set(id, line.add(aClaim(id, { owner }), 1_000));
      }
      if (random.chance(0.05)) line.setWidth(random.between(1, 8));
    }
    const listed = [...line];
    const sorted = [...model.values()].toSorted((a, b) => a.order - b.order || a.seq - b.seq);
    expect(listed, `seed ${seed}`).toEqual(sorted);
    expect(line.size).toBe(sorted.length);
    for (const [index, { id }] of sorted.entries()) expect(line.positionOf(id), `seed ${seed}`).toBe(index);
    for (const id of running) if (!model.has(id)) expect(line.positionOf(id)).toBeUndefined();
  }
});
