import { expect, test } from 'vitest';

import { freshBreaker, settleBreaker, slotsAllowed, transitionBreaker } from './breaker.ts';
import type { Breaker, BreakerEvent } from './breaker.ts';

const limits = { failuresToOpen: 3, firstBackoffMs: 2_000, maxBackoffMs: 6_000 };
const failed = (at: number): BreakerEvent => ({ type: 'attempt-failed', at });
const proven: Breaker = { state: 'closed', failures: 0, proven: true };

function after(start: Breaker, ...events: BreakerEvent[]): Breaker {
  return events.reduce((breaker, event) => transitionBreaker(breaker, event, limits), start);
}

test('three failures in a row open it, and not two', () => {
  expect(after(proven, failed(1), failed(2))).toEqual({ state: 'closed', failures: 2, proven: false });
  expect(after(proven, failed(1), failed(2), failed(3))).toEqual({
    state: 'open',
    until: 2_003,
    backoffMs: 2_000,
  });
});

test('a job that goes well in between makes the count begin anew', () => {
  expect(after(proven, failed(1), failed(2), { type: 'attempt-ok' }, failed(3), failed(4))).toMatchObject({
    state: 'closed',
    failures: 2,
  });
});

test('a stuck one is shut out at once, for it can do nothing else', () => {
  expect(after(proven, { type: 'attempt-failed', at: 10, stuck: true })).toMatchObject({
    state: 'open',
    until: 2_010,
  });
});

test('when its time has come one job is let through; until then none', () => {
  const open: Breaker = { state: 'open', until: 100, backoffMs: 2_000 };
  expect(settleBreaker(open, 99)).toBe(open);
  expect(settleBreaker(open, 100)).toEqual({ state: 'half-open', backoffMs: 2_000 });
  expect(slotsAllowed(settleBreaker(open, 99), 2, false)).toBe(0);
  expect(slotsAllowed(settleBreaker(open, 100), 2, false)).toBe(1);
});

test('the job that is let through closes it, or opens it for twice as long, up to the bound', () => {
  const halfOpen: Breaker = { state: 'half-open', backoffMs: 2_000 };
  expect(after(halfOpen, { type: 'attempt-ok' })).toEqual(proven);
  expect(after(halfOpen, failed(50))).toEqual({ state: 'open', until: 4_050, backoffMs: 4_000 });
  expect(after({ state: 'half-open', backoffMs: 4_000 }, failed(50))).toMatchObject({ backoffMs: 6_000 });
  expect(after({ state: 'half-open', backoffMs: 6_000 }, failed(50))).toMatchObject({ backoffMs: 6_000 });
});

test('a failure that is told late, while it is open, does not open it for less', () => {
  const open: Breaker = { state: 'open', until: 2_000, backoffMs: 2_000 };
  expect(after(open, failed(1_900))).toMatchObject({ state: 'open', until: 5_900 });
});

test('what it was open for may not be over when it answers again: only its time ends that', () => {
  const open: Breaker = { state: 'open', until: 2_000, backoffMs: 2_000 };
  expect(after(open, { type: 'returned' })).toBe(open);
});

test('one that is new, back, or has just failed gets one job at a time until one has gone well', () => {
  expect(slotsAllowed(freshBreaker, 2, false)).toBe(1);
  expect(slotsAllowed(after(proven, { type: 'returned' }), 2, false)).toBe(1);
  expect(slotsAllowed(after(proven, failed(1)), 2, false)).toBe(1);
  expect(slotsAllowed(after(freshBreaker, { type: 'attempt-ok' }), 2, false)).toBe(2);
});

test('the last one left is never shut out', () => {
  expect(slotsAllowed({ state: 'open', until: 100, backoffMs: 2_000 }, 2, true)).toBe(1);
});
