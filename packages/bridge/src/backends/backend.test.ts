import { expect, test } from 'vitest';

import { probeDelayMs, transitionBackend } from './backend.ts';
import type { BackendState } from './backend.ts';

const ok = { type: 'probe-ok', at: 100 } as const;
const failed = { type: 'probe-failed', at: 200, reason: 'refused' } as const;
const connecting: BackendState = { status: 'connecting' };
const ready: BackendState = { status: 'ready', since: 50 };
const lost: BackendState = { status: 'lost', since: 60, failures: 2, reason: 'older' };

test('any state becomes ready by a probe that is answered', () => {
  expect(transitionBackend(connecting, ok)).toEqual({ status: 'ready', since: 100 });
  expect(transitionBackend(lost, ok)).toEqual({ status: 'ready', since: 100 });
});

test('a ready one stays the same object', () => {
  expect(transitionBackend(ready, ok)).toBe(ready);
});

test('any state becomes lost by a probe that fails', () => {
  expect(transitionBackend(connecting, failed)).toEqual({
    status: 'lost',
    since: 200,
    failures: 1,
    reason: 'refused',
  });
  expect(transitionBackend(ready, failed)).toEqual({
    status: 'lost',
    since: 200,
    failures: 1,
    reason: 'refused',
  });
});

test('a lost one counts its failures and keeps since when', () => {
  expect(transitionBackend(lost, failed)).toEqual({
    status: 'lost',
    since: 60,
    failures: 3,
    reason: 'refused',
  });
});

test('the probe keeps its interval while all is well', () => {
  expect(probeDelayMs(connecting, 1_000, 4_000)).toBe(1_000);
  expect(probeDelayMs(ready, 1_000, 4_000)).toBe(1_000);
});

test('the probe of a lost one backs off, up to the bound', () => {
  const delays = [1, 2, 3, 4, 1_000].map((failures) => probeDelayMs({ ...lost, failures }, 1_000, 4_000));
  expect(delays).toEqual([1_000, 2_000, 4_000, 4_000, 4_000]);
});
