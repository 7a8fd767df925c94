import { describe, expect, test } from 'vitest';

import { decideRetry, toJobError } from './retry-policy.ts';
import type { AttemptFailure } from './retry-policy.ts';

const first = { attempt: 1, maxAttempts: 3, movedFromThere: 0, othersCanRunIt: true };
const alone = { ...first, othersCanRunIt: false };

const oom = { code: 'out_of_memory', message: 'KSampler: out of memory' } as const;
const broken = { code: 'node_execution_error', message: 'KSampler: broken' } as const;
const refused = { code: 'invalid_workflow', message: '5/width: too small' } as const;

const failures = {
  lost: { kind: 'backend-lost', reason: 'ECONNREFUSED 10.0.0.1:8188', vanished: false },
  restarted: { kind: 'backend-lost', reason: 'unknown there', vanished: true },
  silent: { kind: 'timed-out', afterMs: 60_000, stuck: false },
  refusedHere: { kind: 'rejected', error: refused, elsewhere: true, lacks: [] },
  refusedEverywhere: { kind: 'rejected', error: refused, elsewhere: false, lacks: [] },
  oom: { kind: 'execution-error', error: oom },
  broken: { kind: 'execution-error', error: broken, lacks: [] },
  fileGone: {
    kind: 'execution-error',
    error: broken,
    lacks: [{ classType: 'LoraLoader', inputName: 'lora_name', value: 'x.safetensors' }],
  },
  interrupted: { kind: 'interrupted-there' },
  result: { kind: 'result-refused', reason: 'a.png: too large' },
  notThere: { kind: 'not-there', reason: 'unknown there' },
  takenBack: { kind: 'taken-back', reason: 'waited' },
  withheld: { kind: 'withheld', reason: 'its owner paused it' },
} satisfies Record<string, AttemptFailure>;

type Decision = 'elsewhere' | 'same place too' | 'given up';
const last = { ...first, attempt: 3 };

/** With another machine that can run it; without; and when the tries are spent. */
const table: Record<keyof typeof failures, [Decision, Decision, Decision]> = {
  lost: ['elsewhere', 'elsewhere', 'given up'],
  restarted: ['same place too', 'same place too', 'given up'],
  silent: ['elsewhere', 'given up', 'given up'],
  refusedHere: ['elsewhere', 'given up', 'given up'],
  refusedEverywhere: ['given up', 'given up', 'given up'],
  oom: ['elsewhere', 'same place too', 'given up'],
  broken: ['given up', 'given up', 'given up'],
  fileGone: ['elsewhere', 'given up', 'given up'],
  interrupted: ['given up', 'given up', 'given up'],
  result: ['elsewhere', 'given up', 'given up'],
  notThere: ['same place too', 'same place too', 'same place too'],
  takenBack: ['elsewhere', 'elsewhere', 'elsewhere'],
  withheld: ['same place too', 'same place too', 'same place too'],
};

describe.each(Object.keys(failures) as (keyof typeof failures)[])('%s', (name) => {
  test.each([first, alone, last].map((circumstances, index) => [circumstances, table[name][index]] as const))(
    '%o → %s',
    (circumstances, expected) => {
      const decision = decideRetry(failures[name], circumstances);
      expect(decision.error).toEqual(toJobError(failures[name]));
      const told = !decision.retry ? 'given up' : decision.exclude ? 'elsewhere' : 'same place too';
      expect(told).toBe(expected);
    },
  );
});

test('out of memory, with no bigger machine: once more where it was, not twice', () => {
  expect(decideRetry(failures.oom, { ...alone, attempt: 2 })).toMatchObject({ retry: false });
});

test('what is nobody’s fault costs no try', () => {
  for (const failure of [failures.notThere, failures.takenBack, failures.withheld]) {
    expect(decideRetry(failure, last)).toMatchObject({ retry: true, free: true });
  }
  expect(decideRetry(failures.lost, first)).not.toHaveProperty('free', true);
});

test('a machine whose owner takes it back time and again comes last', () => {
  const excluded = [0, 1, 2].map((movedFromThere) =>
    decideRetry(failures.withheld, { ...last, movedFromThere }),
  );
  expect(excluded).toMatchObject([{ exclude: false }, { exclude: false }, { exclude: true }]);
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
  expect(toJobError({ kind: 'timed-out', afterMs, stuck: false })).toEqual({ code: 'timed_out', message });
});

test('what ComfyUI said is told as it was cleaned', () => {
  expect(toJobError(failures.oom)).toEqual(oom);
  expect(toJobError(failures.result)).toEqual({ code: 'result_refused', message: 'a.png: too large' });
});
