import { expect, test, vi } from 'vitest';

test('the name of an upload has no folders, nothing unseen, and its ending when it is long', async () => {
  // Its neighbours look at the page that they are in.
  vi.stubGlobal('document', { baseURI: 'http://127.0.0.1/' });
  const { toFilePath } = await import('./upload-file.ts');
  vi.unstubAllGlobals();
  expect(toFilePath('C:\\Users\\me/그림.png')).toBe('C__Users_me_그림.png');
  expect(toFilePath('a\u0000b\n.png')).toBe('a_b_.png');
  expect(toFilePath('..')).toBe('file');
  expect(toFilePath('')).toBe('file');
  const long = toFilePath(`${'🌅'.repeat(255)}.png`);
  expect([...long]).toHaveLength(200);
  expect(long.endsWith('.png')).toBe(true);
  expect(long.isWellFormed()).toBe(true);
});
