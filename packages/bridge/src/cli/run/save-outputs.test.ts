import { assert, property, string } from 'fast-check';
import { expect, test } from 'vitest';

import { toSafeName } from './save-outputs.ts';

test.each([
  ['picture_00001_.png', 'picture_00001_.png'],
  ['그림.png', '그림.png'],
  ['../../etc/passwd', 'passwd'],
  ['..\\..\\boot.ini', 'boot.ini'],
  ['/root/.ssh/authorized_keys', 'authorized_keys'],
  ['.bashrc', 'bashrc'],
  ['a:b?.png', 'a_b_.png'],
  ['CON.png', 'result-CON.png'],
  ['..', 'result'],
  ['', 'result'],
  ['evil\u202Egnp.exe', 'evil_gnp.exe'],
])('a result named %j is saved as %j', (name, safe) => {
  expect(toSafeName(name)).toBe(safe);
});

test('whatever a name is, it stays in its folder and is one that every system takes', () => {
  assert(
    property(string({ unit: 'binary', maxLength: 400 }), (name) => {
      const safe = toSafeName(name);
      expect(safe).not.toBe('');
      expect(safe).not.toMatch(/[/\\\p{Cc}<>:"|?*]|^[.\s]|[.\s]$/u);
      expect(Buffer.byteLength(safe)).toBeLessThanOrEqual(255);
    }),
  );
});
