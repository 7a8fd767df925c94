import { expect, test } from 'vitest';

import { readSocketQuery } from './socket-query.ts';

const read = (query: string) => readSocketQuery(new URLSearchParams(query));

test('without options nothing new is sent and the grace period is as configured', () => {
  expect(read('clientId=one')).toEqual({
    ok: true,
    query: { previews: false, extended: false, after: undefined, graceMs: undefined },
  });
});

test.each([
  ['previews=1', { previews: true }],
  ['previews=yes', { previews: false }],
  ['events=2', { extended: true }],
  ['events=1', { extended: false }],
  ['after=3000017', { after: 3_000_017 }],
  ['after=0', { after: 0 }],
  ['leave=cancel', { graceMs: 0 }],
  ['leave=keep', { graceMs: Number.POSITIVE_INFINITY }],
  ['leave=0', { graceMs: 0 }],
  ['leave=30', { graceMs: 30_000 }],
  ['leave=0.25', { graceMs: 250 }],
  ['leave=86400', { graceMs: 86_400_000 }],
  ['leave=', { graceMs: undefined }],
])('%s', (query, expected) => {
  expect(read(query)).toMatchObject({ ok: true, query: expected });
});

test.each(['-1', '1e3', 'abc', '9'.repeat(16), '1.5', ' 1', 'NaN'])(
  'an after of "%s" is as good as none: the listener hears too much rather than too little',
  (after) => {
    expect(read(`after=${encodeURIComponent(after)}`)).toMatchObject({
      ok: true,
      query: { after: undefined },
    });
  },
);

test.each(['never', '-1', '86401', '99999', '1e3', '0x10', 'Infinity', ' 5', 'cancel,keep'])(
  'a leave of "%s" is refused, since a wrong guess could cost a job',
  (leave) => {
    const outcome = read(`leave=${encodeURIComponent(leave)}`);
    expect(outcome).toEqual({ ok: false, detail: expect.stringContaining('cancel, keep') });
  },
);
