import { pino } from 'pino';
import { expect, test } from 'vitest';

import { createComfyClient } from '../comfy/comfy-client.ts';
import type { ComfyClient } from '../comfy/comfy-client.ts';
import { ComfyError } from '../comfy/comfy-error.ts';
import type { DonorRefusal, DonorStatus } from '../comfy/donor-status.ts';
import { createEvents } from '../events.ts';
import { createFleet } from './fleet.ts';
import { describeOwnersPause, noteAccepted, noteLending, noteRefusal, roomAt } from './lending.ts';
import { createLendingLook } from './look-at-lending.ts';

const available: DonorStatus = { state: 'available', reason: null, until: null, maxQueue: 4 };
const paused: DonorStatus = { state: 'paused', reason: 'command', until: null, maxQueue: null };

function start(donorStatus: ComfyClient['donorStatus'] = async () => undefined) {
  let asked = 0;
  const { backends } = createFleet([{ name: 'a', endpoint: { url: 'http://127.0.0.1:1' } }], (endpoint) => ({
    ...createComfyClient(endpoint),
    donorStatus(signal) {
      asked += 1;
      return donorStatus(signal);
    },
  }));
  const [backend] = backends;
  if (backend === undefined) throw new Error('a fleet without a backend');
  const events = createEvents(() => {});
  const heard: string[] = [];
  events.on('backend:lending', ({ isPaused, reason }) => heard.push(isPaused ? `paused: ${reason}` : 'lent'));
  events.on('backend:capacity', () => heard.push('capacity'));
  const clock = { now: 1_000 };
  const now = () => clock.now;
  const look = createLendingLook({ backend, events, log: pino({ level: 'silent' }) }, { now });
  return {
    backend,
    heard,
    clock,
    asked: () => asked,
    note: (status: DonorStatus | undefined) => noteLending({ events, now }, backend, status),
    refuse: (refusal: DonorRefusal) => noteRefusal({ events, now }, backend, refusal),
    look: () => look.look(new AbortController().signal),
    reset: () => look.reset(),
  };
}

test('a pause and its end are told once, and when it was last paused is known', () => {
  const { backend, heard, clock, note } = start();
  note(available);
  expect(heard).toEqual([]);
  note(paused);
  note({ ...paused, until: 5_000 });
  note({ ...paused, reason: 'owner-work' });
  clock.now = 2_000;
  note(available);
  clock.now = 3_000;
  note(available);
  expect(heard).toEqual(['paused: command', 'paused: owner-work', 'lent', 'capacity']);
  // A refusal does not say how much it takes; that is kept.
  expect(backend.lending).toMatchObject({ state: 'available', maxQueue: 4, pausedAt: 2_000 });
});

test('a machine that is not lent any more is as good as any other', () => {
  const { backend, heard, note } = start();
  note(paused);
  note(undefined);
  expect(backend.lending).toBeNull();
  expect(heard).toEqual(['paused: command', 'lent', 'capacity']);
});

test('the end of a pause is said in UTC, where it is known', () => {
  const { backend, note } = start();
  note(paused);
  expect(describeOwnersPause(backend)).toBe('is paused by its owner');
  note({ ...paused, until: Date.UTC(2031, 4, 4, 6) });
  expect(describeOwnersPause(backend)).toBe('is paused by its owner until 2031-05-04T06:00:00Z');
});

test('one that refuses prompts is left alone for a while, longer each time, until it takes one', () => {
  const { backend, note, refuse } = start();
  // Even one of which nothing is known yet.
  refuse({ kind: 'full' });
  expect(roomAt(backend, 5_999)).toBe(6_000);
  expect(roomAt(backend, 6_000)).toBeUndefined();
  refuse({ kind: 'full' });
  note(available);
  expect(roomAt(backend, 1_000)).toBe(11_000);
  for (let time = 0; time < 100; time += 1) refuse({ kind: 'full' });
  expect(roomAt(backend, 1_000)).toBe(301_000);
  noteAccepted(backend);
  expect(roomAt(backend, 1_000)).toBeUndefined();
  refuse({ kind: 'paused', status: paused });
  expect([backend.lending?.state, roomAt(backend, 1_000)]).toEqual(['paused', 1_500]);
});

test('a stock ComfyUI is asked once, and again when it was away', async () => {
  const { backend, asked, look, reset } = start();
  await look();
  await look();
  expect([asked(), backend.lending]).toEqual([1, null]);
  reset();
  await look();
  expect(asked()).toBe(2);
});

test('a page of its own for every path makes no donor; one that is known is not forgotten for it', async () => {
  const { backend, asked, look, note } = start(async () => {
    throw new ComfyError('malformed', 'a page', { status: 200 });
  });
  await look();
  await look();
  expect([asked(), backend.lending]).toEqual([1, null]);
  note(paused);
  await look();
  expect(backend.lending).toMatchObject({ state: 'paused' });
});

test('one that does not answer is asked again, and what is known of it counts until then', async () => {
  const { backend, asked, look } = start(async () => {
    throw new ComfyError('timeout', 'late');
  });
  await look();
  await look();
  expect([asked(), backend.lending]).toEqual([2, undefined]);
});

test('an answer is older than what a socket told while it was on its way', async () => {
  const answer = Promise.withResolvers<DonorStatus>();
  const { backend, look, note } = start(() => answer.promise);
  const looked = look();
  note(paused);
  answer.resolve(available);
  await looked;
  expect(backend.lending).toMatchObject({ state: 'paused' });
});
