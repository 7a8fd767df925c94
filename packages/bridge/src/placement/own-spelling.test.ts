import { expect, test } from 'vitest';

import { needsOf, offering, promptOf } from './_definitions.ts';
import { findLacks } from './find-lacks.ts';
import { toOwnSpelling } from './own-spelling.ts';

const windows = offering({
  Loader: { ckpt_name: { v1: ['sdxl\\base.ckpt', 'sd15.ckpt'] }, vae_name: { v1: ['xl\\vae.pt'] } },
  Sampler: { sampler_name: { v1: ['euler'] } },
  Save: { prefix: { spec: ['STRING', {}] } },
});

test('choices are spelled as the backend lists them', () => {
  const prompt = promptOf(['Loader', { ckpt_name: 'sdxl/base.ckpt', vae_name: 'xl/vae.pt', strength: 1 }]);
  expect(toOwnSpelling(prompt, windows)).toEqual(
    promptOf(['Loader', { ckpt_name: 'sdxl\\base.ckpt', vae_name: 'xl\\vae.pt', strength: 1 }]),
  );
});

test('a Linux machine gets slashes', () => {
  const linux = offering({ Loader: { ckpt_name: { v1: ['sdxl/base.ckpt'] } } });
  expect(toOwnSpelling(promptOf(['Loader', { ckpt_name: 'sdxl\\base.ckpt' }]), linux)).toEqual(
    promptOf(['Loader', { ckpt_name: 'sdxl/base.ckpt' }]),
  );
});

test('only what differs is rewritten: the prompt given stays as it was, and other nodes are the same objects', () => {
  const prompt = promptOf(
    ['Loader', { ckpt_name: 'sdxl/base.ckpt' }],
    ['Sampler', { sampler_name: 'euler' }],
  );
  const before = structuredClone(prompt);
  const spelled = toOwnSpelling(prompt, windows);
  expect(prompt).toEqual(before);
  expect(spelled['1']).not.toBe(prompt['1']);
  expect(spelled['2']).toBe(prompt['2']);
});

test('the title of a rewritten node is kept', () => {
  const prompt = {
    '1': { class_type: 'Loader', inputs: { ckpt_name: 'sdxl/base.ckpt' }, _meta: { title: 'Checkpoint' } },
  };
  expect(toOwnSpelling(prompt, windows)['1']).toMatchObject({ _meta: { title: 'Checkpoint' } });
});

test('a prompt that is spelled right comes back as the same object', () => {
  const prompt = promptOf(
    ['Loader', { ckpt_name: 'sdxl\\base.ckpt', vae_name: ['2', 0] }],
    ['Sampler', { sampler_name: 'euler', steps: 20 }],
  );
  expect(toOwnSpelling(prompt, windows)).toBe(prompt);
});

test('what is not on a list is left alone: texts with slashes, unknown files, unknown classes, unknown backends', () => {
  const prompt = promptOf(
    ['Save', { prefix: 'out/picture' }],
    ['Loader', { ckpt_name: 'other/base.ckpt' }],
    ['Unheard', { ckpt_name: 'sdxl/base.ckpt' }],
  );
  expect(toOwnSpelling(prompt, windows)).toBe(prompt);
  expect(toOwnSpelling(prompt, undefined)).toBe(prompt);
});

test('a number chosen from a list of texts is spelled as the list has it', () => {
  const texts = offering({ Upscale: { factor: { v1: ['2', '4'] } } });
  const prompt = promptOf(['Upscale', { factor: 4 }]);
  expect(findLacks(needsOf(prompt, texts), { definitions: texts, suspicions: [] })).toEqual([]);
  expect(toOwnSpelling(prompt, texts)).toEqual(promptOf(['Upscale', { factor: '4' }]));
});
