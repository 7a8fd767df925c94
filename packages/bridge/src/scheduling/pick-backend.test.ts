import { expect, test } from 'vitest';

import { pickBackend } from './pick-backend.ts';
import type { Candidate, Wish } from './pick-backend.ts';

const wish: Wish = { workflow: 'w', nodeClasses: ['KSampler', 'SaveImage'], excluded: [] };
const all = new Set(['KSampler', 'SaveImage', 'LoadImage']);

function candidate(name: string, fields: Partial<Candidate> = {}): Candidate {
  return { name, nodeClasses: all, ready: true, freeSlots: 2, backlogMs: 0, runMs: 1_000, ...fields };
}

test('nobody is ready: not connected, or never heard of its nodes', () => {
  expect(pickBackend(wish, [])).toEqual({ ok: false, reason: 'no-ready-backend' });
  expect(pickBackend(wish, [candidate('a', { ready: false })])).toEqual({
    ok: false,
    reason: 'no-ready-backend',
  });
  expect(pickBackend(wish, [candidate('a', { nodeClasses: undefined })])).toEqual({
    ok: false,
    reason: 'no-ready-backend',
  });
});

test('nobody can run it: says which classes are missing where', () => {
  const candidates = [
    candidate('a', { nodeClasses: new Set(['SaveImage']) }),
    candidate('b', { nodeClasses: new Set() }),
  ];
  expect(pickBackend(wish, candidates)).toEqual({
    ok: false,
    reason: 'incapable',
    missing: [
      { backend: 'a', nodeClasses: ['KSampler'] },
      { backend: 'b', nodeClasses: ['KSampler', 'SaveImage'] },
    ],
  });
});

test('a capable one is taken although another is faster', () => {
  const candidates = [candidate('a', { nodeClasses: new Set(), runMs: 1 }), candidate('b', { runMs: 9_000 })];
  expect(pickBackend(wish, candidates)).toEqual({ ok: true, backend: 'b', expectedMs: 9_000 });
});

test('all capable ones are full: the job waits for the best of them', () => {
  const candidates = [candidate('a', { freeSlots: 0 }), candidate('b', { freeSlots: -1 })];
  expect(pickBackend(wish, candidates)).toEqual({ ok: false, reason: 'waits-for', backend: 'a' });
});

test('the earliest expected finish wins, work before it included', () => {
  const candidates = [
    candidate('idle-slow', { runMs: 5_000 }),
    candidate('busy-fast', { runMs: 500, backlogMs: 3_000 }),
    candidate('busier-fast', { runMs: 500, backlogMs: 9_000 }),
  ];
  expect(pickBackend(wish, candidates)).toEqual({ ok: true, backend: 'busy-fast', expectedMs: 3_500 });
});

test('a fast machine that is full is waited for while that is sooner than an idle slow one', () => {
  const slow = candidate('slow', { runMs: 10_000 });
  const fast = (backlogMs: number) => candidate('fast', { runMs: 1_000, backlogMs, freeSlots: 0 });
  expect(pickBackend(wish, [fast(2_000), slow])).toEqual({ ok: false, reason: 'waits-for', backend: 'fast' });
  expect(pickBackend(wish, [fast(9_500), slow])).toEqual({ ok: true, backend: 'slow', expectedMs: 10_000 });
});

test('of two that are as good, the free one is taken', () => {
  const candidates = [candidate('full', { runMs: 1_000, freeSlots: 0 }), candidate('free', { runMs: 1_000 })];
  expect(pickBackend(wish, candidates)).toMatchObject({ ok: true, backend: 'free' });
});

test('ties go to the one named first', () => {
  expect(pickBackend(wish, [candidate('a'), candidate('b')])).toMatchObject({ backend: 'a' });
  expect(pickBackend(wish, [candidate('b'), candidate('a')])).toMatchObject({ backend: 'b' });
});

test('a backend that lost this job is avoided while another can run it, even a busy one', () => {
  const excluded = { ...wish, excluded: ['a'] };
  expect(pickBackend(excluded, [candidate('a'), candidate('b', { backlogMs: 60_000 })])).toMatchObject({
    backend: 'b',
  });
  expect(pickBackend(excluded, [candidate('a'), candidate('b', { freeSlots: 0 })])).toEqual({
    ok: false,
    reason: 'waits-for',
    backend: 'b',
  });
});

test('a backend that lost this job is used again when no other can run it', () => {
  const excluded = { ...wish, excluded: ['a', 'b'] };
  expect(pickBackend(excluded, [candidate('a'), candidate('b', { runMs: 1 })])).toMatchObject({
    backend: 'b',
  });
  const incapable = candidate('c', { nodeClasses: new Set() });
  expect(pickBackend({ ...wish, excluded: ['a'] }, [candidate('a'), incapable])).toMatchObject({
    backend: 'a',
  });
});
