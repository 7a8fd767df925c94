import { expect, test } from 'vitest';

import type { NodeDefinition, NodeDefinitions, NodeInputSpec } from '../../comfy/object-info.ts';
import { canaryStepKinds } from './canary-steps.ts';
import { compareRasters } from './compare-rasters.ts';
import { makeCanary } from './make-canary.ts';
import { crop, flip, invert, rotate, scale } from './raster.ts';
import type { Raster } from './raster.ts';

/** The same numbers for the same seed. */
function createRandom(seed: number): () => number {
  let state = seed + 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function define(classType: string, inputs: Record<string, NodeInputSpec['options'] | null>): NodeDefinition {
  const specs = Object.entries(inputs).map(([name, options]): [string, NodeInputSpec] => [
    name,
    { type: options ? 'COMBO' : 'IMAGE', required: true, ...(options && { options }) },
  ]);
  return { classType, displayName: '', inputs: new Map(specs), outputNode: false, outputs: [] };
}

const ends = [
  define('LoadImage', { image: null }),
  define('SaveImage', { images: null, filename_prefix: null }),
];
const invertNode = define('ImageInvert', { image: null });
const flipNode = define('ImageFlip', {
  image: null,
  flip_method: ['x-axis: vertically', 'y-axis: horizontally'],
});
const cropNode = define('ImageCrop', { image: null, width: null, height: null, x: null, y: null });

function offer(...nodes: NodeDefinition[]): NodeDefinitions {
  return new Map([...ends, ...nodes].map((node) => [node.classType, node]));
}

/** Two by two: red, green, blue, white. */
const quad: Raster = {
  width: 2,
  height: 2,
  pixels: Uint8Array.from([255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255]),
};
const letters: Record<string, string> = {
  '255,0,0': 'r',
  '0,255,0': 'g',
  '0,0,255': 'b',
  '255,255,255': 'w',
};

function spell({ width, height, pixels }: Raster): string {
  const named = Array.from(
    { length: width * height },
    (_, at) => letters[pixels.slice(at * 3, at * 3 + 3).join()] ?? '?',
  );
  return Array.from({ length: height }, (_, row) =>
    named.slice(row * width, (row + 1) * width).join(''),
  ).join('/');
}

test('what is done to a picture here is what the nodes do', () => {
  expect(spell(quad)).toBe('rg/bw');
  expect(spell(flip(quad, 'vertically'))).toBe('bw/rg');
  expect(spell(flip(quad, 'horizontally'))).toBe('gr/wb');
  expect(spell(rotate(quad, 90))).toBe('br/wg');
  expect(spell(rotate(quad, 180))).toBe('wb/gr');
  expect(spell(rotate(quad, 270))).toBe('gw/rb');
  expect(spell(crop(quad, { x: 1, y: 0, width: 1, height: 2 }))).toBe('g/w');
  expect(spell(scale(quad, { width: 4, height: 2 }))).toBe('rrgg/bbww');
  expect([...invert(quad).pixels.slice(0, 3)]).toEqual([0, 255, 255]);
});

test('no two canaries are alike, and each has a result that is not easily guessed', () => {
  const definitions = offer(invertNode, flipNode, cropNode);
  const random = createRandom(1);
  const seen = new Set<string>();
  for (let count = 0; count < 30; count += 1) {
    const canary = makeCanary(definitions, random);
    if (canary === undefined) throw new Error('none was made');
    const { prompt, loadNode, saveNode, input, expected } = canary;
    expect(prompt[loadNode]?.class_type).toBe('LoadImage');
    expect(prompt[saveNode]?.class_type).toBe('SaveImage');
    expect(Object.keys(prompt).length).toBeGreaterThanOrEqual(4);
    expect(expected.pixels).toHaveLength(expected.width * expected.height * 3);
    const flat = { ...expected, pixels: expected.pixels.map(() => 128) };
    expect(compareRasters(expected, flat)?.worst).toBeGreaterThan(0.1);
    expect(compareRasters(expected, scale(input, expected))?.worst).toBeGreaterThan(0.15);
    seen.add(`${Object.keys(prompt).join()} ${input.pixels.slice(0, 30).join()}`);
  }
  expect(seen.size).toBe(30);
});

test('only what the backend offers is used, by name, inputs and choices', () => {
  for (let seed = 0; seed < 8; seed += 1) {
    const canary = makeCanary(offer(invertNode), createRandom(seed));
    const classes = new Set(Object.values(canary?.prompt ?? {}).map((node) => node.class_type));
    expect([...classes].toSorted()).toEqual(['ImageInvert', 'LoadImage', 'SaveImage']);
  }
  expect(makeCanary(offer(), createRandom(1))).toBeUndefined();
  expect(makeCanary(new Map([['ImageInvert', invertNode]]), createRandom(1))).toBeUndefined();
  const otherFlip = define('ImageFlip', { image: null, flip_method: ['up', 'down'] });
  expect(makeCanary(offer(otherFlip), createRandom(1))).toBeUndefined();
  const asksMore = define('ImageInvert', { image: null, strength: null });
  expect(makeCanary(offer(asksMore), createRandom(1))).toBeUndefined();
});

test('every kind of step stays within its picture, whatever the numbers', () => {
  const random = createRandom(7);
  for (const kind of canaryStepKinds) {
    for (let count = 0; count < 40; count += 1) {
      const [width, height] = [32 + Math.floor(random() * 200), 32 + Math.floor(random() * 200)];
      const pixels = new Uint8Array(width * height * 3).fill(7);
      const made = kind.make({ width, height, pixels }, random).apply({ width, height, pixels });
      expect(made.pixels).toHaveLength(made.width * made.height * 3);
      expect(made.width).toBeGreaterThanOrEqual(16);
      expect(Math.max(made.width, made.height)).toBeLessThanOrEqual(400);
      if (kind.needs[0]?.classType === 'ImageCrop')
        expect(made.pixels.every((value) => value === 7)).toBe(true);
    }
  }
});
