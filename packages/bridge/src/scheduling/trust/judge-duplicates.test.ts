import { expect, test } from 'vitest';

import { sketchSide } from '../../files/picture-pixels.ts';
import type { PictureSketch } from '../../files/picture-pixels.ts';
import { distanceOf, isBlank } from './compare-sketches.ts';
import { judgeDuplicates } from './judge-duplicates.ts';

const size = { width: 512, height: 512 };

function sketch(level: (x: number, y: number) => number, of = size): PictureSketch {
  const pixels = Uint8Array.from({ length: sketchSide ** 2 * 3 }, (_, at) => {
    const pixel = Math.floor(at / 3);
    return level(pixel % sketchSide, Math.floor(pixel / sketchSide));
  });
  return { ...of, pixels };
}

const slope = sketch((x) => x * 8);
/** The same composition, a little lighter, with other details. */
const alike = sketch((x, y) => Math.min(255, x * 8 + 8 + ((x * 7 + y * 3) % 9)));
const rings = sketch((x, y) => ((x * x + y * y) % 300) * 0.8);
const black = sketch(() => 0);
const grey = sketch(() => 120);

test('equal is 0, alike is near, another picture and an empty one are far', () => {
  expect(distanceOf([slope], [slope])).toBe(0);
  expect(distanceOf([slope], [alike])).toBeLessThan(0.1);
  expect(distanceOf([slope], [rings])).toBeGreaterThan(0.25);
  expect(distanceOf([slope], [black])).toBeGreaterThanOrEqual(0.5);
  expect(distanceOf([slope], [grey])).toBeGreaterThanOrEqual(0.5);
  expect(distanceOf([black], [grey])).toBeGreaterThan(0.4);
  expect(distanceOf([black], [black])).toBe(0);
  expect([slope, black, grey].map(isBlank)).toEqual([false, true, true]);
});

test('the same in another size, another number of pictures, and no picture are as far as can be', () => {
  const { pixels } = slope;
  expect(distanceOf([slope], [{ width: 256, height: 256, pixels }])).toBe(1);
  expect(distanceOf([slope], [slope, slope])).toBe(1);
  expect(distanceOf([slope], [])).toBe(1);
  expect(distanceOf([slope], [undefined])).toBe(1);
  expect(distanceOf([slope, slope], [slope, rings])).toBe(distanceOf([slope], [rings]));
});

const by = (backend: string, ...made: (PictureSketch | undefined)[]) => ({ backend, made });
const tolerance = 0.15;

test('two that agree are fine, of two that differ nobody knows which', () => {
  expect(judgeDuplicates([by('a', slope), by('b', alike)], tolerance)).toMatchObject({ kind: 'agree' });
  expect(judgeDuplicates([by('a', slope), by('b', rings)], tolerance)).toEqual({
    kind: 'differ',
    backends: ['a', 'b'],
    difference: distanceOf([slope], [rings]),
  });
});

test.each([
  ['the first', [by('a', rings), by('b', slope), by('c', alike)], 'a'],
  ['the second', [by('a', slope), by('b', black), by('c', alike)], 'b'],
  ['one that gave nothing', [by('a', slope), by('b'), by('c', slope)], 'b'],
] as const)('a third one decides: %s is outvoted', (_, runs, loser) => {
  expect(judgeDuplicates(runs, tolerance)).toMatchObject({ kind: 'outvoted', loser });
});

test.each([
  ['all three differ', [by('a', slope), by('b', rings), by('c', black)]],
  [
    'the third is between the others',
    [
      by(
        'a',
        sketch((x) => x * 8),
      ),
      by(
        'b',
        sketch((x) => x * 8 + 50),
      ),
      by(
        'c',
        sketch((x) => x * 8 + 25),
      ),
    ],
  ],
] as const)('nobody is outvoted where %s', (_, runs) => {
  expect(judgeDuplicates(runs, tolerance)).toMatchObject({ kind: 'undecided', backends: ['a', 'b', 'c'] });
});
