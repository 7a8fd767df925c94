import { expect, test } from 'vitest';

import { isModelFile, normalizePath } from './model-file.ts';

test.each([
  'sdxl.safetensors',
  'old/v1.CKPT',
  'unet\\flux.gguf',
  'x4.pth',
  'clip.bin',
  'trt.engine',
  'a.b.onnx',
])('%s names a file of weights', (name) => {
  expect(isModelFile(name)).toBe(true);
});

test.each([
  'euler',
  'photo.png',
  'clip.mp4',
  'safetensors',
  'notes.safetensors.txt',
  '',
  5,
  null,
  ['a.ckpt'],
])('%o names none', (value) => {
  expect(isModelFile(value)).toBe(false);
});

test('folders are separated by slashes, whatever system lists them', () => {
  expect(normalizePath('sdxl\\turbo\\base.ckpt')).toBe('sdxl/turbo/base.ckpt');
  expect(normalizePath('sdxl/turbo/base.ckpt')).toBe('sdxl/turbo/base.ckpt');
});
