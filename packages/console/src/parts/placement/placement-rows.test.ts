import type { BackendVerdict } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { conclude, sortVerdicts, toQuery } from './placement-rows.ts';

function verdict(backend: string, verdict: BackendVerdict['verdict'], finishesInMs?: number): BackendVerdict {
  const expected =
    finishesInMs === undefined
      ? null
      : {
          ...{ starts_in_ms: 0, load_ms: 0, run_ms: finishesInMs, finishes_in_ms: finishesInMs },
          basis: 'guessed' as const,
        };
  return { backend, verdict, reasons: [], lacks: [], expected };
}

test('the choice comes first, then what is free, busy, away and unable', () => {
  const backends = [
    verdict('unable', 'unable'),
    verdict('away', 'away'),
    verdict('busy', 'busy', 50),
    verdict('slow', 'free', 900),
    verdict('fast', 'free', 100),
    verdict('chosen', 'busy', 40),
  ];
  expect(sortVerdicts({ backends, choice: 'chosen' }).map(({ backend }) => backend)).toEqual([
    ...['chosen', 'fast', 'slow', 'busy', 'away', 'unable'],
  ]);
});

test.each([
  [[], false, 'no-backends'],
  [[verdict('a', 'unable')], false, 'nobody-can'],
  [[verdict('a', 'unable'), verdict('b', 'away')], true, 'all-away'],
  [[verdict('a', 'busy', 1), verdict('b', 'away')], true, 'when-free'],
  [[verdict('a', 'busy', 1), verdict('b', 'free', 1)], true, 'at-once'],
] as const)('%j says %s: %s', (backends, canRun, conclusion) => {
  expect(conclude({ backends: [...backends], can_run: canRun })).toBe(conclusion);
});

test('a long text is not part of the question, and no inputs are no question', () => {
  const query = toQuery({ steps: 20, prompt: 'x'.repeat(2000), seed: '18446744073709551615' });
  expect(JSON.parse(decodeURIComponent(query.slice('?inputs='.length)))).toEqual({
    ...{ steps: 20, seed: '18446744073709551615' },
  });
  expect(toQuery({ prompt: 'x'.repeat(2000) })).toBe('');
  expect(toQuery(undefined)).toBe('');
});
