import { expect, test } from 'vitest';

import { cutToWidth, displayWidth, padToWidth, toPlainLines, toPlainText } from './display-width.ts';

test.each([
  ['cat', 3],
  ['그림', 4],
  // The same two syllables, written letter by letter as macOS names files.
  ['그림'.normalize('NFD'), 4],
  ['写真', 4],
  ['e\u0301', 1],
  ['🖼️ a', 3],
  ['\u001B[31mred\u001B[0m', 3],
  ['', 0],
])('%j takes %i columns', (text, width) => {
  expect(displayWidth(text)).toBe(width);
});

test('padding and cutting count columns and not letters', () => {
  expect(padToWidth('그림', 6)).toBe('그림  ');
  expect(cutToWidth('그림 그리기', 6)).toBe('그림 …');
  expect(cutToWidth('그림', 4)).toBe('그림');
});

test('a name cannot give orders to the terminal', () => {
  expect(toPlainText('a\u001B[2Jb\u0007c\r\nd\u202Ee')).toBe('ab\uFFFDc d\uFFFDe');
});

test('a message keeps its lines, and what they begin with', () => {
  expect(toPlainLines('do this:\n  - that\u0007\n')).toBe('do this:\n  - that\uFFFD\n');
});
