import { expect, test } from 'vitest';

import { createGate } from './gate.ts';

const { signal } = new AbortController();

/** Enters, and notes it. */
function enter(gate: ReturnType<typeof createGate>, log: string[], name: string): Promise<() => void> {
  return gate.enter(signal).then((leave) => {
    log.push(name);
    return leave;
  });
}

test('so many at a time, the others in the order in which they came', async () => {
  const gate = createGate({ limit: 2, patienceMs: 60_000 });
  const log: string[] = [];
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => enter(gate, log, name));
  const leave = await a;
  await b;
  expect(log).toEqual(['a', 'b']);
  leave?.();
  leave?.();
  await c;
  expect(log).toEqual(['a', 'b', 'c']);
  (await b)?.();
  await d;
  expect(log).toEqual(['a', 'b', 'c', 'd']);
});

test('one who stays too long no longer counts, and does not count twice when it leaves', async () => {
  const gate = createGate({ limit: 1, patienceMs: 5 });
  const slow = await gate.enter(signal);
  const second = await gate.enter(signal);
  slow();
  const log: string[] = [];
  const third = enter(gate, log, 'third');
  await Promise.resolve();
  expect(log).toEqual([]);
  second();
  await third;
});

test('one who gives up in the line is not let in', async () => {
  const gate = createGate({ limit: 1, patienceMs: 60_000 });
  const leave = await gate.enter(signal);
  const impatient = new AbortController();
  const gone = gate.enter(impatient.signal);
  const log: string[] = [];
  const next = enter(gate, log, 'next');
  impatient.abort(new Error('enough'));
  await expect(gone).rejects.toThrow('enough');
  await expect(gate.enter(impatient.signal)).rejects.toThrow('enough');
  leave();
  await next;
  expect(log).toEqual(['next']);
});
