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

test('all capable ones are full: the job waits', () => {
  const candidates = [candidate('a', { freeSlots: 0 }), candidate('b', { freeSlots: -1 })];
  expect(pickBackend(wish, candidates)).toEqual({ ok: false, reason: 'busy' });
});

test('the earliest expected finish wins, work before it included', () => {
  const candidates = [
    candidate('idle-slow', { runMs: 5_000 }),
    candidate('busy-fast', { runMs: 500, backlogMs: 3_000 }),
    candidate('busier-fast', { runMs: 500, backlogMs: 9_000 }),
  ];
  expect(pickBackend(wish, candidates)).toEqual({ ok: true, backend: 'busy-fast', expectedMs: 3_500 });
});

test('a full backend does not win however fast it is', () => {
  const candidates = [candidate('fast', { runMs: 1, freeSlots: 0 }), candidate('slow', { runMs: 60_000 })];
  expect(pickBackend(wish, candidates)).toMatchObject({ backend: 'slow' });
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
    reason: 'busy',
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
