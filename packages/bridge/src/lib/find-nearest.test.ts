import { expect, test } from 'vitest';

import { findNearest } from './find-nearest.ts';

const names = ['prompt', 'negative_prompt', 'steps', '프롬프트'] as const;
const lower = (text: string) => text.toLowerCase();

test.each([
  ['promt', 'prompt'],
  ['PROMPT', 'prompt'],
  ['negative_promtp', 'negative_prompt'],
  ['프롬프드', '프롬프트'],
  ['nonsense', undefined],
  ['', undefined],
  ['p', undefined],
])('%j is taken for %j', (wanted, nearest) => {
  expect(findNearest(wanted, names, lower)).toBe(nearest);
});

test('a text of any length costs next to nothing', () => {
  expect(findNearest('x'.repeat(10_000_000), names, lower)).toBeUndefined();
});
