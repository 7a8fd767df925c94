import { expect, test } from 'vitest';

import { noLimits } from './api-key.ts';
import type { Identity } from './identity.ts';
import { createTickets } from './tickets.ts';

const identityOf = (account: string): Identity => ({
  ...{ role: 'client', account, keyId: account, actor: account, hash: '', workflows: null },
  limits: noLimits,
});

function start(options = {}) {
  const clock = { now: 0 };
  return { clock, tickets: createTickets({ now: () => clock.now }, options) };
}

test('a ticket is good once, and for a minute', () => {
  const { clock, tickets } = start();
  const first = tickets.issue(identityOf('one'))?.ticket ?? '';
  expect(tickets.redeem(first)?.account).toBe('one');
  expect(tickets.redeem(first)).toBeUndefined();
  const second = tickets.issue(identityOf('one'))?.ticket ?? '';
  clock.now = 60_000;
  expect(tickets.redeem(second)).toBeUndefined();
  expect(tickets.redeem('cbt_nope')).toBeUndefined();
});

test('who has too many open gets no more until some are used or too old, and nobody else is kept from any', () => {
  const { clock, tickets } = start({ maxPerAccount: 2, maxTickets: 4 });
  const first = tickets.issue(identityOf('one'))?.ticket ?? '';
  expect(tickets.issue(identityOf('one'))).toBeDefined();
  expect(tickets.issue(identityOf('one'))).toBeUndefined();
  expect(tickets.issue(identityOf('two'))).toBeDefined();
  tickets.redeem(first);
  expect(tickets.issue(identityOf('one'))).toBeDefined();
  expect(tickets.issue(identityOf('three'))).toBeDefined();
  expect(tickets.issue(identityOf('four'))).toBeUndefined();
  clock.now = 60_000;
  expect(tickets.issue(identityOf('one'))).toBeDefined();
});

test('where keys are off a ticket is nobody’s, and not kept', () => {
  const { tickets } = start({ maxTickets: 0 });
  expect(tickets.redeem(tickets.issue(undefined)?.ticket ?? '')).toBeUndefined();
});
