import { expect, test } from 'vitest';

import { emptyForm, toBody } from './key-form.ts';

const noLimits = { requests_per_minute: null, unfinished_jobs: null, stored_bytes: null, upload_bytes: null };

test('a new key has an end, and a scope only where one was given', () => {
  expect(toBody({ ...emptyForm(), name: ' shop ' }, true)).toEqual({
    name: 'shop',
    role: 'client',
    expires_in: 90 * 86_400,
    limits: noLimits,
  });
  expect(toBody({ ...emptyForm(), days: '', workflows: 'a, b-*,' }, true)).toEqual({
    name: '',
    role: 'client',
    workflows: ['a', 'b-*'],
    limits: noLimits,
  });
});

test('what is emptied is taken away from a key that is there, and its end stays unless another is chosen', () => {
  expect(toBody({ ...emptyForm(), name: 'n', days: 'keep' }, false)).toEqual({
    name: 'n',
    role: 'client',
    workflows: null,
    limits: noLimits,
  });
  expect(toBody({ ...emptyForm(), name: 'n', days: '' }, false)).toMatchObject({ expires_in: null });
});
