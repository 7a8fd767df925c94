import { expect, test } from 'vitest';

import { aBackend } from './_a-backend.ts';
import { checkForm, emptyForm, formOf, toChange, toNewBackend } from './backend-form.ts';
import type { BackendForm, FormProblem } from './backend-form.ts';

const good: BackendForm = { ...emptyForm(), address: '192.168.1.22:8188' };
const pin = `sha256:${'A'.repeat(43)}=`;

test('an address alone is enough', () => {
  expect(checkForm(good, true)).toEqual({});
  expect(toNewBackend(good)).toEqual({
    ...{ url: '192.168.1.22:8188', weight: 1, tags: [], workflows: null, mode: 'active' },
  });
});

test.each<[Partial<BackendForm>, keyof BackendForm, FormProblem]>([
  [{ address: '  ' }, 'address', 'address-missing'],
  [{ name: 'two words' }, 'name', 'name-form'],
  [{ token: 'two words' }, 'token', 'token-form'],
  [{ pin: 'sha256:short', address: 'https://host' }, 'pin', 'pin-form'],
  [{ pin }, 'pin', 'pin-needs-tls'],
  [{ tags: 'good, b@d' }, 'tags', 'tags-form'],
  [{ weight: 'much' }, 'weight', 'weight-form'],
  [{ weight: '' }, 'weight', 'weight-form'],
  [{ weight: '0' }, 'weight', 'weight-form'],
  [{ isLimited: true }, 'workflows', 'workflows-none'],
])('%j is refused where it was entered', (entered, field, problem) => {
  expect(checkForm({ ...good, ...entered }, true)).toEqual({ [field]: problem });
});

test('a pin goes with TLS, and a comma does for the point of a weight', () => {
  const form = { ...good, address: 'https://host:8188', pin, weight: '1,5' };
  expect(checkForm(form, true)).toEqual({});
  expect(toNewBackend(form)).toMatchObject({ pin, weight: 1.5 });
});

test('only what differs is changed', () => {
  const backend = aBackend({ tags: ['a', 'b'], weight: 2, workflows: ['upscale'] });
  const form = formOf(backend);
  expect(toChange(form, backend)).toBeUndefined();
  expect(toChange({ ...form, tags: 'b a b', weight: '3' }, backend)).toEqual({ tags: ['b', 'a'], weight: 3 });
  expect(toChange({ ...form, isLimited: false }, backend)).toEqual({ workflows: null });
  expect(toChange({ ...form, token: ' secret ' }, backend)).toEqual({ token: 'secret' });
  expect(toChange({ ...form, token: 'x', dropsToken: true }, backend)).toEqual({ token: null });
});
