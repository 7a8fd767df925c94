import sharp from 'sharp';
import { expect, test } from 'vitest';

import { startSim } from '../src/sim.ts';
import type { Forgery, Sim } from '../src/sim.ts';

let color = 100;

function invertOf(shade: number) {
  return {
    1: { class_type: 'EmptyImage', inputs: { width: 32, height: 16, batch_size: 1, color: shade } },
    2: { class_type: 'ImageInvert', inputs: { image: ['1', 0] } },
    3: { class_type: 'SaveImage', inputs: { filename_prefix: 'x', images: ['2', 0] } },
  };
}

/** The first pixel of what it makes of a prompt that is new to it. */
async function firstPixel(sim: Sim): Promise<number[]> {
  color += 1;
  const body = JSON.stringify({ prompt: invertOf(color), client_id: 'test' });
  await fetch(`${sim.url}/prompt`, { method: 'POST', body });
  await (await sim.nextPrompt()).finish();
  const png = sim.readFile('output', sim.files('output').at(-1) ?? '');
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  expect(info).toMatchObject({ width: 32, height: 16, channels: 3 });
  return [...data.subarray(0, 3)];
}

test('it saves the right picture until it is told to lie, and again when it is told not to', async () => {
  await using sim = await startSim();
  expect(await firstPixel(sim)).toEqual([255, 255, 255 - color]);
  sim.lie('black');
  expect(await firstPixel(sim)).toEqual([0, 0, 0]);
  sim.lie(undefined);
  expect(await firstPixel(sim)).toEqual([255, 255, 255 - color]);
});

test.each<[Forgery, (pixel: number[]) => boolean]>([
  ['patch', ([red]) => red === 0],
  ['rounded', ([red, , blue = 1]) => red === 255 && blue % 8 === 0],
  ['jpeg', ([red = 0]) => red > 240],
  ['webp', ([red = 0]) => red > 240],
  ['other', ([red]) => red === 255],
  ['input', ([red]) => red === 0],
])('%s', async (forgery, looksLikeIt) => {
  await using sim = await startSim();
  await firstPixel(sim);
  sim.lie(forgery);
  expect(await firstPixel(sim)).toSatisfy(looksLikeIt);
});

test('it lies about the prompts that are named, and about no others', async () => {
  await using sim = await startSim();
  sim.lie('black', (prompt) => prompt['1']?.inputs['color'] === color);
  expect(await firstPixel(sim)).toEqual([0, 0, 0]);
  sim.lie('black', () => false);
  expect(await firstPixel(sim)).toEqual([255, 255, 255 - color]);
});
