import { pino } from 'pino';
import { expect, test } from 'vitest';

import { createFleet } from '../../backends/fleet.ts';
import type { Backend } from '../../backends/fleet.ts';
import { createComfyClient } from '../../comfy/comfy-client.ts';
import { createPromptForgetter } from './forget-prompts.ts';

const log = pino({ level: 'silent' });

interface Called {
  backend: Backend;
  calls: string[][];
  /** Resolves at the next call. */
  next(): Promise<void>;
}

function startBackend(answer: (signal?: AbortSignal) => Promise<void> = async () => {}): Called {
  const calls: string[][] = [];
  let heard = Promise.withResolvers<void>();
  const { backends } = createFleet([{ name: 'a', endpoint: { url: 'http://127.0.0.1:1' } }], (endpoint) => ({
    ...createComfyClient(endpoint),
    forgetPrompts(promptIds, signal) {
      calls.push([...promptIds]);
      heard.resolve();
      heard = Promise.withResolvers();
      return answer(signal);
    },
  }));
  const [backend] = backends;
  if (backend === undefined) throw new Error('a fleet without a backend');
  return { backend, calls, next: () => heard.promise };
}

test('prompts of one backend go together, those of another on their own', async () => {
  const [one, two] = [startBackend(), startBackend()];
  const forgetter = createPromptForgetter({ log }, { everyMs: 5 });
  const both = Promise.all([one.next(), two.next()]);
  for (const id of ['p', 'q']) forgetter.forget(one.backend, id);
  forgetter.forget(two.backend, 'r');
  expect([...one.calls, ...two.calls]).toEqual([]);
  await both;
  expect([one.calls, two.calls]).toEqual([[['p', 'q']], [['r']]]);
  const later = one.next();
  forgetter.forget(one.backend, 's');
  await later;
  expect(one.calls).toEqual([['p', 'q'], ['s']]);
});

test('a full call does not wait', () => {
  const { backend, calls } = startBackend();
  const forgetter = createPromptForgetter({ log }, { everyMs: 60_000, maxPrompts: 2 });
  for (const id of ['p', 'q', 'r']) forgetter.forget(backend, id);
  expect(calls).toEqual([['p', 'q']]);
});

test('a stop sends what waits, and a backend that fails is no error', async () => {
  const { backend, calls } = startBackend(() => Promise.reject(new Error('gone')));
  const forgetter = createPromptForgetter({ log }, { everyMs: 60_000 });
  forgetter.forget(backend, 'p');
  await forgetter.stop();
  expect(calls).toEqual([['p']]);
});

test('a stop does not wait for a backend that does not answer', async () => {
  const { backend } = startBackend(async (signal) => {
    await new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(new Error('given up')));
    });
  });
  const forgetter = createPromptForgetter({ log }, { everyMs: 60_000 });
  forgetter.forget(backend, 'p');
  const before = performance.now();
  await forgetter.stop();
  expect(performance.now() - before).toBeLessThan(5_000);
});
