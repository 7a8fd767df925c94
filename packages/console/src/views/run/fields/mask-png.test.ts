import { inflateSync } from 'node:zlib';

import { expect, test } from 'vitest';

import { toMaskPng } from './mask-png.ts';

test('painted is white and transparent, all else black and opaque', async () => {
  const png = Buffer.from(await toMaskPng((index) => index === 1 || index === 2, { width: 2, height: 2 }));
  expect(png.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n');
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([2, 2]);
  const length = png.readUInt32BE(33);
  expect(png.toString('latin1', 37, 41)).toBe('IDAT');
  const black = [0, 0, 0, 255];
  const white = [255, 255, 255, 0];
  expect([...inflateSync(png.subarray(41, 41 + length))]).toEqual([
    0,
    ...black,
    ...white,
    0,
    ...white,
    ...black,
  ]);
});
