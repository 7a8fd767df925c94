import { expect, test } from 'vitest';

import { readWait } from './read-preferences.ts';

test.each([
  ['wait=10', 10],
  ['wait=300', 300],
  ['wait=1000', 300],
  ['respond-async, wait=10', 10],
  ['Wait = "10"', 10],
  ['wait=10; foo=bar, handling=lenient', 10],
  ['wait=0', undefined],
  ['wait=-1', undefined],
  ['wait=1.5', undefined],
  ['wait=soon', undefined],
  ['wait', undefined],
  ['await=10', undefined],
  ['return=minimal', undefined],
  [undefined, undefined],
])('of the header Prefer: %s, the caller waits %s seconds', (prefer, seconds) => {
  expect(readWait({ headers: prefer === undefined ? {} : { prefer } })).toBe(seconds);
});
