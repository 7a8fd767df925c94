import { pino } from 'pino';
import { expect, test } from 'vitest';

import { createFleet } from '../../backends/fleet.ts';
import type { Backend } from '../../backends/fleet.ts';
import { noteLending } from '../../backends/lending.ts';
import { createComfyClient } from '../../comfy/comfy-client.ts';
import type { ForgetOutcome } from '../../comfy/donor-routes.ts';
import { createEvents } from '../../events.ts';
import { createDonorForgetter } from './forget-on-donors.ts';
import type { DonorForgetterOptions } from './forget-on-donors.ts';

const available = { state: 'available', reason: null, until: null, maxQueue: null } as const;

type Answer = ForgetOutcome | Error | Promise<ForgetOutcome>;

/** A backend that answers as told, and what it was asked. */
function start(answers: Answer[], options: DonorForgetterOptions = {}) {
  const calls: { promptId: string; inputs: readonly string[] }[] = [];
  const { backends } = createFleet([{ name: 'a', endpoint: { url: 'http://127.0.0.1:1' } }], (endpoint) => ({
    ...createComfyClient(endpoint),
    async forgetFiles({ promptId, inputs, signal }) {
      calls.push({ promptId, inputs });
      const answer = answers.shift() ?? 'done';
      if (answer instanceof Error) throw answer;
      const { promise, reject } = Promise.withResolvers<never>();
      signal?.addEventListener('abort', () => reject(new Error('given up')));
      return Promise.race([answer, promise]);
    },
  }));
  const [backend] = backends;
  if (backend === undefined) throw new Error('a fleet without a backend');
  const events = createEvents(() => {});
  const claimed = new Set<string>();
  const atStock: string[] = [];
  const forgetter = createDonorForgetter(
    {
      events,
      log: pino({ level: 'silent' }),
      isClaimed: (_backend: Backend, input) => claimed.has(input),
      forgetAtStock: (_backend, promptId) => void atStock.push(promptId),
    },
    { retryMs: 5, ...options },
  );
  const lend = () => noteLending({ events, now: Date.now }, backend, available);
  return { backend, calls, claimed, atStock, forgetter, events, lend };
}

test('one call after the other, without the files that somebody else needs by then', async () => {
  const first = Promise.withResolvers<ForgetOutcome>();
  const { backend, calls, claimed, forgetter, lend } = start([first.promise]);
  lend();
  forgetter.forget(backend, { promptId: 'p', inputs: ['a', 'b'] });
  forgetter.forget(backend, { promptId: 'q', inputs: ['b', 'c'] });
  claimed.add('b');
  expect(calls).toEqual([{ promptId: 'p', inputs: ['a', 'b'] }]);
  first.resolve('done');
  await expect.poll(() => calls.length).toBe(2);
  expect(calls[1]).toEqual({ promptId: 'q', inputs: ['c'] });
});

test('who wants to put a file there waits for the call that deletes one of that name', async () => {
  const deleting = Promise.withResolvers<ForgetOutcome>();
  const { backend, forgetter, lend } = start([deleting.promise]);
  lend();
  forgetter.forget(backend, { promptId: 'p', inputs: ['a'] });
  await forgetter.untilKept(backend, 'other');
  let isKept = false;
  const kept = forgetter.untilKept(backend, 'a').then(() => (isKept = true));
  await Promise.resolve();
  expect(isKept).toBe(false);
  deleting.resolve('done');
  await kept;
});

test('a machine that fails, or still runs it, is told again, and not for ever', async () => {
  const gone = new Error('gone');
  const { backend, calls, forgetter, lend } = start([gone, 'busy', 'done', gone, gone, gone], {
    maxTries: 3,
  });
  lend();
  forgetter.forget(backend, { promptId: 'p', inputs: [] });
  await expect.poll(() => calls.length).toBe(3);
  forgetter.forget(backend, { promptId: 'q', inputs: [] });
  await expect.poll(() => calls.length).toBe(6);
  forgetter.forget(backend, { promptId: 'r', inputs: [] });
  await expect.poll(() => calls.at(-1)?.promptId).toBe('r');
  expect(calls.map(({ promptId }) => promptId).join('')).toBe('pppqqqr');
});

test('while it is not known what a machine is, it waits; a stock ComfyUI is not told', async () => {
  const { backend, calls, atStock, forgetter, events, lend } = start([]);
  forgetter.forget(backend, { promptId: 'p', inputs: ['a'] });
  expect([calls, atStock]).toEqual([[], []]);
  backend.lending = null;
  events.emit('backend:capacity', { backend: 'a' });
  expect([calls, atStock]).toEqual([[], ['p']]);
  lend();
  forgetter.forget(backend, { promptId: 'q', inputs: [] });
  expect(calls).toEqual([{ promptId: 'q', inputs: [] }]);
});

test('of too many that wait the oldest goes', async () => {
  const { backend, calls, forgetter, events, lend } = start([], { maxWaiting: 2 });
  for (const promptId of ['p', 'q', 'r']) forgetter.forget(backend, { promptId, inputs: [] });
  lend();
  events.emit('backend:capacity', { backend: 'a' });
  await expect.poll(() => calls.map(({ promptId }) => promptId)).toEqual(['q', 'r']);
});

test('a stop sends what waits', async () => {
  const slow = Promise.withResolvers<ForgetOutcome>();
  const { backend, calls, forgetter, lend } = start([slow.promise]);
  lend();
  for (const promptId of ['p', 'q']) forgetter.forget(backend, { promptId, inputs: [] });
  const stopped = forgetter.stop();
  slow.resolve('done');
  await stopped;
  expect(calls.map(({ promptId }) => promptId)).toEqual(['p', 'q']);
});

test('a stop does not wait for a machine that does not answer', async () => {
  const { backend, calls, forgetter, lend } = start([Promise.withResolvers<ForgetOutcome>().promise]);
  lend();
  for (const promptId of ['p', 'q']) forgetter.forget(backend, { promptId, inputs: [] });
  const before = performance.now();
  await forgetter.stop();
  expect(performance.now() - before).toBeLessThan(4_000);
  expect(calls).toHaveLength(1);
});
