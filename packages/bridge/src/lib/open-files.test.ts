import { expect, test } from 'vitest';

import { boundConnections, readOpenFilesLimit } from './open-files.ts';

test('a quarter of what may be open is left for files and backends', () => {
  expect(boundConnections(25_000, 1_024)).toBe(768);
  expect(boundConnections(500, 1_024)).toBe(500);
  expect(boundConnections(25_000, Infinity)).toBe(25_000);
  expect(boundConnections(10, 1)).toBe(1);
});

test.skipIf(process.platform !== 'linux')('the limit of this process is known', () => {
  expect(readOpenFilesLimit()).toBeGreaterThan(100);
});

test('where the system does not say it, there is none', () => {
  expect(readOpenFilesLimit('/nowhere')).toBe(Infinity);
});
