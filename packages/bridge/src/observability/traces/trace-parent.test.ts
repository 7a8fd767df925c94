import { expect, test } from 'vitest';

import { currentParent, parseTraceParent, underParent } from './trace-parent.ts';

const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
const span = '00f067aa0ba902b7';

test('trace, span and whether it is sampled are read', () => {
  expect(parseTraceParent(`00-${trace}-${span}-01`)).toEqual({ traceId: trace, spanId: span, traceFlags: 1 });
  expect(parseTraceParent(`00-${trace}-${span}-02`)?.traceFlags).toBe(0);
});

test('a later version is read as far as it is known', () => {
  expect(parseTraceParent(`01-${trace}-${span}-01-more`)?.traceId).toBe(trace);
});

test.each([
  '',
  'nonsense',
  `ff-${trace}-${span}-01`,
  `00-${trace}-${span}-01-more`,
  `00-${'0'.repeat(32)}-${span}-01`,
  `00-${trace}-${'0'.repeat(16)}-01`,
  `00-${trace.toUpperCase()}-${span}-01`,
  `00-${trace}-${span}`,
])('%j is no parent', (header) => {
  expect(parseTraceParent(header)).toBeUndefined();
  underParent(header, () => expect(currentParent()).toBeUndefined());
});

test('the parent holds for what the request sets off, and for nothing else', async () => {
  const seen: unknown[] = [];
  underParent(`00-${trace}-${span}-01`, () => {
    void Promise.resolve().then(() => seen.push(currentParent()?.spanId));
  });
  await Promise.resolve();
  expect(seen).toEqual([span]);
  expect(currentParent()).toBeUndefined();
});
