import { expect, test } from 'vitest';

import { createKeyId, createKeyToken, hashSecret, parseKeyToken } from './key-token.ts';

test('what was made is read, and only its digest is kept', () => {
  const id = createKeyId();
  const { text, hash } = createKeyToken(id);
  expect(text).toMatch(/^cbk_[0-9a-f]{12}_[\w-]{43}[0-9a-f]{8}$/);
  const parsed = parseKeyToken(text);
  if (parsed === undefined || parsed === 'mistyped') throw new Error('not read');
  expect(parsed.id).toBe(id);
  expect(hashSecret(parsed.secret)).toBe(hash);
  expect(text).not.toContain(hash);
});

test('one that is cut, longer, or has any character changed is told apart without a look at any key', () => {
  const { text } = createKeyToken(createKeyId());
  for (const wrong of [
    text.slice(0, -1),
    `${text}0`,
    text.toUpperCase().replace('CBK', 'cbk'),
    'cbk_',
    'cbk_x',
  ])
    expect(parseKeyToken(wrong), wrong).toBe('mistyped');
  for (let at = 4; at < text.length; at += 1) {
    const changed = text.slice(0, at) + (text[at] === '7' ? '8' : '7') + text.slice(at + 1);
    expect(parseKeyToken(changed), changed).toBe('mistyped');
  }
});

test('other secrets are no keys', () => {
  for (const text of ['', 'secret', 'CBK_x', ' cbk_x']) expect(parseKeyToken(text), text).toBeUndefined();
});
