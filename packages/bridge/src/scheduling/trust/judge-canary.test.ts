import sharp from 'sharp';
import type { Sharp } from 'sharp';
import { expect, test } from 'vitest';

import { readPixels } from '../../files/picture-pixels.ts';
import { canaryTolerance, judgeCanary } from './judge-canary.ts';
import { fill } from './raster.ts';
import type { Raster } from './raster.ts';

const limits = { maxPixels: 1_000_000, maxDimension: 1_000 };

/** A slope of grey with two shapes on it, as canaries have. */
function paint(): Raster {
  const [width, height] = [160, 120];
  const pixels = Uint8Array.from(
    { length: width * height * 3 },
    (_, at) => ((Math.floor(at / 3) % width) / width) * 255,
  );
  const slope = { width, height, pixels };
  const shaped = fill(slope, { x: 13, y: 21, width: 60, height: 40 }, [200, 160, 170]);
  return fill(shaped, { x: 90, y: 50, width: 33, height: 61 }, [30, 60, 20]);
}

const right = paint();

function open({ width, height, pixels }: Raster): Sharp {
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

async function judge(change: (picture: Sharp) => Sharp) {
  const picture = await readPixels(await change(open(right)).toBuffer(), limits);
  if (picture === undefined) throw new Error('it could not be read');
  return judgeCanary(right, [{ ok: true, picture }]);
}

test.each([
  ['a PNG', (it: Sharp) => it.png()],
  ['a JPEG', (it: Sharp) => it.jpeg({ quality: 60 })],
  ['a WebP', (it: Sharp) => it.webp({ quality: 60 })],
  ['a GIF', (it: Sharp) => it.gif()],
  ['a PNG with alpha', (it: Sharp) => it.ensureAlpha(0.5).png()],
])('the right picture is right as %s', async (_, change) => {
  expect(await judge(change)).toMatchObject({ isRight: true });
});

test.each([
  ['black', (it: Sharp) => it.linear(0, 0).png()],
  ['upside down', (it: Sharp) => it.flip().png()],
  ['inverted', (it: Sharp) => it.negate().png()],
  ['blurred beyond recognition', (it: Sharp) => it.blur(40).png()],
  ['grey where it has a shape', (it: Sharp) => it.composite([{ input: patch, left: 96, top: 64 }]).png()],
])('a picture of the right size that is %s is wrong', async (_, change) => {
  const verdict = await judge(change);
  expect(verdict).toMatchObject({ isRight: false, detail: expect.stringContaining('off by') });
  expect(verdict.difference).toBeGreaterThan(canaryTolerance);
});

const patch = { create: { width: 16, height: 16, channels: 3, background: '#808080' } } as const;

test('no picture, more than one, another size and what is no picture are wrong', async () => {
  const picture = right;
  expect(judgeCanary(right, [])).toMatchObject({ isRight: false, difference: null });
  expect(
    judgeCanary(right, [
      { ok: true, picture },
      { ok: true, picture },
    ]),
  ).toMatchObject({ isRight: false });
  expect(judgeCanary(right, [{ ok: true, picture: { ...right, width: 80, height: 240 } }])).toMatchObject({
    isRight: false,
    detail: 'it gave a picture of 80×240 instead of 160×120 pixels',
  });
  expect(judgeCanary(right, [{ ok: false, fault: 'its picture cannot be decoded' }])).toEqual({
    isRight: false,
    difference: null,
    detail: 'its picture cannot be decoded',
  });
  expect(await readPixels(Buffer.from('no picture'), limits)).toBeUndefined();
  expect(await readPixels((await open(right).png().toBuffer()).subarray(0, 900), limits)).toBeUndefined();
  expect(
    await readPixels(await open(right).png().toBuffer(), { ...limits, maxDimension: 100 }),
  ).toBeUndefined();
});
