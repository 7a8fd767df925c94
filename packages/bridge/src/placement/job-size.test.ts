import { describe, expect, test } from 'vitest';

import { promptOf } from './_definitions.ts';
import { sizeOf, toSizeClass } from './job-size.ts';

const textToImage = promptOf(
  ['EmptyLatentImage', { width: 1_024, height: 768, batch_size: 4 }],
  ['KSampler', { steps: 20, cfg: 7, seed: 1e12 }],
);

test('a picture is its pixels, its steps and how many there are', () => {
  expect(sizeOf(textToImage)).toEqual({ pixels: 1_024 * 768, steps: 20, frames: 1, batch: 4 });
});

test('steps of several samplers add up, and the largest picture counts', () => {
  const prompt = promptOf(
    ['EmptyLatentImage', { width: 512, height: 512 }],
    ['KSampler', { steps: 20 }],
    ['LatentUpscale', { width: 1_024, height: 1_024 }],
    ['KSampler', { steps: 10 }],
    ['EmptyLatentImage', { width: 64, height: 2_048 }],
  );
  expect(sizeOf(prompt)).toMatchObject({ pixels: 1_024 * 1_024, steps: 30 });
});

test.each(['length', 'num_frames', 'frames', 'frame_count', 'video_frames', 'frames_number'])(
  'a video counts its frames, called %s',
  (name) => {
    const prompt = promptOf(
      ['VideoLatent', { width: 832, height: 480, [name]: 81 }],
      ['KSampler', { steps: 4 }],
    );
    expect(sizeOf(prompt)).toEqual({ pixels: 832 * 480, steps: 4, frames: 81, batch: 1 });
  },
);

test('a prompt without numbers is one of everything', () => {
  const prompt = promptOf(['LoadImage', { image: 'a.png' }], ['Upscale', { model: 'x4.pth' }]);
  expect(sizeOf(prompt)).toEqual({ pixels: 1, steps: 1, frames: 1, batch: 1 });
  expect(toSizeClass(sizeOf(prompt))).toBe(0);
  expect(toSizeClass(sizeOf({}))).toBe(0);
});

test.each([0, -512, Number.NaN, Number.POSITIVE_INFINITY, 1e300, '512', null, true, ['4', 0], {}])(
  'nonsense where a number is expected counts as nothing said: %o',
  (nonsense) => {
    const inputs = {
      width: nonsense,
      height: nonsense,
      batch_size: nonsense,
      length: nonsense,
      steps: nonsense,
    };
    expect(sizeOf(promptOf(['Node', inputs]))).toEqual({ pixels: 1, steps: 1, frames: 1, batch: 1 });
  },
);

describe('size classes', () => {
  const classOf = (change: Partial<ReturnType<typeof sizeOf>>) =>
    toSizeClass({ pixels: 1_024 * 1_024, steps: 16, frames: 1, batch: 1, ...change });

  test('twice the work is one class more, whatever it is twice of', () => {
    const base = classOf({});
    expect(base).toBe(24);
    expect(classOf({ steps: 32 })).toBe(base + 1);
    expect(classOf({ batch: 2 })).toBe(base + 1);
    expect(classOf({ frames: 2 })).toBe(base + 1);
    expect(classOf({ pixels: 512 * 1_024 })).toBe(base - 1);
  });

  test('a tenth more is the same, half as much again is not', () => {
    expect(classOf({ pixels: 1_024 * 1_126 })).toBe(classOf({}));
    expect(classOf({ steps: 24 })).toBeGreaterThan(classOf({}));
  });

  test('the largest nonsense is still a number', () => {
    const inputs = { width: 1e9, height: 1e9, batch_size: 1e9, length: 1e9, steps: 1e9 };
    expect(Number.isFinite(toSizeClass(sizeOf(promptOf(['Node', inputs]))))).toBe(true);
  });
});
