import { expect, test } from 'vitest';

import { matchesText, memoryOf, remarksOn, sortBackends, successRate, summarise } from './fleet-backend.ts';
import type { FleetBackend } from './fleet-backend.ts';
import { aBackend } from './_a-backend.ts';

const job = { id: 'j', workflow: 'upscale', executing_since: null, progress: null, node: null };
const quarantined: Partial<FleetBackend> = {
  status: 'quarantined',
  quarantine: { reason: 'wrong pictures', since: '2026-01-01T00:00:00.000Z', evidence: [] },
};
const suspicion = { class_type: 'Foo', input: null, value: null, since: '2026-01-01T00:00:00.000Z' };

test('those in trouble come first, and among equals people find them by number', () => {
  const backends: FleetBackend[] = [
    aBackend({ name: 'gpu-10' }),
    aBackend({ name: 'gpu-9' }),
    aBackend({ name: 'paused', status: 'paused', mode: 'paused' }),
    aBackend({ name: 'drains', status: 'draining', mode: 'draining' }),
    aBackend({ name: 'lies', suspicions: [suspicion] }),
    aBackend({ name: 'new', status: 'connecting' }),
    aBackend({ name: 'rests', trust: 'open' }),
    aBackend({ name: 'shut', ...quarantined }),
    aBackend({ name: 'lost', status: 'lost', reason: 'ECONNREFUSED' }),
  ];
  expect(sortBackends(backends).map(({ name }) => name)).toEqual([
    ...['lost', 'shut', 'rests', 'new', 'lies', 'drains', 'paused', 'gpu-9', 'gpu-10'],
  ]);
});

test('the summary counts each backend once, and tells what runs from what waits on a machine', () => {
  const running = { ...job, executing_since: '2026-01-01T00:00:00.000Z' };
  const backends = [
    aBackend({ jobs: [running, job] }),
    aBackend({ status: 'lost' }),
    aBackend({ status: 'connecting' }),
    aBackend({ status: 'leaving', jobs: [running] }),
    aBackend(quarantined),
  ];
  expect(summarise(backends)).toEqual({
    ...{ all: 5, ready: 1, lost: 1, connecting: 1, away: 2 },
    ...{ running: 2, waitingThere: 1 },
  });
});

test('a backend that is well is remarked upon by nothing', () => {
  expect(remarksOn(aBackend())).toEqual([]);
});

test.each<[string, Partial<FleetBackend>, string[]]>([
  ['lost', { status: 'lost', reason: 'ECONNREFUSED' }, ['why-lost']],
  ['lost while it leaves', { status: 'leaving', mode: 'draining', reason: 'x' }, ['why-lost', 'why-leaving']],
  ['given a rest', { trust: 'open' }, ['why-resting']],
  ['on trial', { trust: 'half-open' }, ['why-on-trial']],
  ['draining with a job', { status: 'draining', mode: 'draining', jobs: [job] }, ['why-draining']],
  ['drained', { status: 'draining', mode: 'draining' }, ['why-drained']],
  ['paused by its operator', { status: 'paused', mode: 'paused' }, ['why-paused']],
  [
    'paused by its owner for a time',
    {
      status: 'paused',
      reason: 'is paused by its owner until 2026-01-01T08:00:00Z',
      lending: { state: 'paused', reason: 'owner-work', until: '2026-01-01T08:00:00.000Z' },
    },
    ['why-owner-work', 'why-owner-until'],
  ],
  [
    'leaving while its owner has paused it',
    {
      status: 'leaving',
      mode: 'draining',
      reason: 'is paused by its owner',
      lending: { state: 'paused', reason: 'command', until: null },
    },
    ['why-leaving', 'why-owner-command'],
  ],
  ['with prompts of others', { foreign_prompts: 2 }, ['why-foreign']],
  ['with an offer that cannot be read', { offer_problem: 'too large' }, ['why-no-offer']],
])('what is said of one that is %s', (_name, backend, keys) => {
  expect(remarksOn(aBackend(backend)).map(({ key }) => key)).toEqual(keys);
});

test('the success rate counts lost attempts as not well, and is nothing where there were none', () => {
  const since = '2026-01-01T00:00:00.000Z';
  expect(successRate({ success: { succeeded: 6, failed: 1, lost: 1, since } })).toBe(0.75);
  expect(successRate({ success: { succeeded: 0, failed: 0, lost: 0, since } })).toBeNull();
});

test('used memory is what is not free, and unknown where one of the two is', () => {
  const memory = { total_bytes: 100, usable_bytes: 90 };
  expect(memoryOf(aBackend({ memory, free_memory_bytes: 30 })).usedBytes).toBe(70);
  expect(memoryOf(aBackend({ memory, free_memory_bytes: null })).usedBytes).toBeNull();
  expect(memoryOf(aBackend({ memory, free_memory_bytes: 120 })).usedBytes).toBe(0);
});

test('a backend is found by its tag, its address and the workflow that it runs', () => {
  const backend = aBackend({ tags: ['gpu-24gb'], address: '10.0.0.7:8188', jobs: [job] });
  for (const text of ['GPU-24', '0.7:81', ' upsc ']) expect(matchesText(backend, text)).toBe(true);
  expect(matchesText(backend, 'nothing')).toBe(false);
});
