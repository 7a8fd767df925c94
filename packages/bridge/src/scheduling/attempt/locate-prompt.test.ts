import { expect, test } from 'vitest';

import type { PromptHistory } from '../../comfy/comfy-client.ts';
import { locatePrompt } from './locate-prompt.ts';

const done: PromptHistory = { promptId: 'p', outcome: 'interrupted', outputs: {}, meta: {} };
const { signal } = new AbortController();

/** A backend whose histories are answered one after the other. */
function backend(
  histories: (PromptHistory | undefined)[],
  queue: { running?: string[]; pending?: string[] } = {},
) {
  const asked: string[] = [];
  return {
    asked,
    async history(promptId: string) {
      asked.push(`history ${promptId}`);
      return histories.shift();
    },
    async queue() {
      asked.push('queue');
      return { running: queue.running ?? [], pending: queue.pending ?? [] };
    },
  };
}

test('what is in the history is found there, with one question', async () => {
  const client = backend([done]);
  expect(await locatePrompt(client, 'p', signal)).toEqual({ at: 'history', history: done });
  expect(client.asked).toEqual(['history p']);
});

test.each(['running', 'pending'] as const)('what is %s is found in the queue', async (place) => {
  const client = backend([undefined], { [place]: ['other', 'p'] });
  expect(await locatePrompt(client, 'p', signal)).toEqual({ at: place });
});

test('one that ends between the two questions is not taken for gone', async () => {
  const client = backend([undefined, done], { running: ['other'] });
  expect(await locatePrompt(client, 'p', signal)).toEqual({ at: 'history', history: done });
  expect(client.asked).toEqual(['history p', 'queue', 'history p']);
});

test('gone is only what is in neither, asked twice', async () => {
  const client = backend([undefined, undefined]);
  expect(await locatePrompt(client, 'p', signal)).toEqual({ at: 'nowhere' });
  expect(client.asked).toHaveLength(3);
});
