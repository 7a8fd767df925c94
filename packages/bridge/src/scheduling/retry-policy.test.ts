import { describe, expect, test } from 'vitest';

import { decideRetry, toJobError } from './retry-policy.ts';
import type { AttemptFailure } from './retry-policy.ts';

const first = { attempt: 1, maxAttempts: 3, othersCanRunIt: true };
const alone = { ...first, othersCanRunIt: false };

const oom = { code: 'out_of_memory', message: 'KSampler: out of memory' } as const;
const broken = { code: 'node_execution_error', message: 'KSampler: broken' } as const;
const refused = { code: 'invalid_workflow', message: '5/width: too small' } as const;

const failures = {
  lost: { kind: 'backend-lost', reason: 'ECONNREFUSED 10.0.0.1:8188' },
  silent: { kind: 'timed-out', afterMs: 60_000 },
  refusedHere: { kind: 'rejected', error: refused, elsewhere: true },
  refusedEverywhere: { kind: 'rejected', error: refused, elsewhere: false },
  oom: { kind: 'execution-error', error: oom },
  broken: { kind: 'execution-error', error: broken },
  interrupted: { kind: 'interrupted-there' },
  result: { kind: 'result-refused', reason: 'a.png: too large' },
} satisfies Record<string, AttemptFailure>;

describe('with tries left and another machine that can run it', () => {
  test.each(['lost', 'refusedHere', 'oom', 'result'] as const)('%s: again, elsewhere', (name) => {
    expect(decideRetry(failures[name], first)).toEqual({ retry: true, exclude: true });
  });
  test.each(['silent', 'refusedEverywhere', 'broken', 'interrupted'] as const)('%s: given up', (name) => {
    expect(decideRetry(failures[name], first)).toEqual({ retry: false, error: toJobError(failures[name]) });
  });
});

describe('with tries left but no other machine', () => {
  test('a lost machine is tried again: it may come back', () => {
    expect(decideRetry(failures.lost, alone)).toEqual({ retry: true, exclude: true });
  });
  test.each([
    'silent',
    'refusedHere',
    'refusedEverywhere',
    'oom',
    'broken',
    'interrupted',
    'result',
  ] as const)('%s: given up', (name) => {
    expect(decideRetry(failures[name], alone)).toEqual({ retry: false, error: toJobError(failures[name]) });
  });
});

test.each(Object.keys(failures) as (keyof typeof failures)[])('the last try ends it: %s', (name) => {
  const decision = decideRetry(failures[name], { ...first, attempt: 3 });
  expect(decision).toEqual({ retry: false, error: toJobError(failures[name]) });
});

test('the reason of a lost machine stays in the log', () => {
  const { message } = toJobError(failures.lost);
  expect(message).not.toMatch(/ECONN|10\.0\.0\.1|8188/);
});

test.each([
  [60_000, 'time out error: exceed 60s'],
  [500, 'time out error: exceed 0.5s'],
  [1_500, 'time out error: exceed 1.5s'],
])('a silence of %d ms is told as "%s"', (afterMs, message) => {
  expect(toJobError({ kind: 'timed-out', afterMs })).toEqual({ code: 'timed_out', message });
});

test('what ComfyUI said is told as it was cleaned', () => {
  expect(toJobError(failures.oom)).toEqual(oom);
  expect(toJobError(failures.result)).toEqual({ code: 'result_refused', message: 'a.png: too large' });
});
