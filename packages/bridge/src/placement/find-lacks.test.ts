import { describe, expect, test } from 'vitest';

import { needsOf, offering, promptOf } from './_definitions.ts';
import { describeLack, findLacks } from './find-lacks.ts';
import type { Offer } from './find-lacks.ts';

const linux = offering({
  Loader: { ckpt_name: { v1: ['sdxl/base.ckpt', 'sd15.ckpt'] } },
  Sampler: { sampler_name: { spec: ['COMBO', { options: ['euler', 'ddim'] }] }, size: { v1: [512, 1_024] } },
});
const windows = offering({
  Loader: { ckpt_name: { v1: ['sdxl\\base.ckpt'] } },
  Sampler: { sampler_name: { v1: ['euler'] }, size: { v1: [512] } },
});
const wanted = needsOf(
  promptOf(['Loader', { ckpt_name: 'sdxl/base.ckpt' }], ['Sampler', { sampler_name: 'ddim', size: 1_024 }]),
  linux,
);

function lacksOf(definitions: Offer['definitions'], suspicions: Offer['suspicions'] = []) {
  return findLacks(wanted, { definitions, suspicions });
}

test('a backend that has everything lacks nothing', () => {
  expect(lacksOf(linux)).toEqual([]);
});

test('nothing is said of a backend that was never reached', () => {
  expect(lacksOf(undefined)).toBeUndefined();
  expect(lacksOf(undefined, [{ classType: 'Sampler', inputName: null, value: null }])).toBeUndefined();
});

test('a class that it does not have is lacking once, and not its choices too', () => {
  const definitions = offering({ Loader: { ckpt_name: { v1: ['sdxl/base.ckpt'] } } });
  expect(lacksOf(definitions)).toEqual([{ classType: 'Sampler', inputName: null, value: null }]);
});

test('choices that it does not list are lacking, and files match however their folders are separated', () => {
  expect(lacksOf(windows)).toEqual([
    { classType: 'Sampler', inputName: 'sampler_name', value: 'ddim' },
    { classType: 'Sampler', inputName: 'size', value: 1_024 },
  ]);
});

test('an older version of a node, without the input or without a list for it, is given the benefit of the doubt', () => {
  const older = offering({
    Loader: { ckpt_name: { v1: ['sdxl/base.ckpt'] } },
    Sampler: { sampler_name: { spec: ['STRING', {}] } },
  });
  expect(lacksOf(older)).toEqual([]);
});

test('an empty list offers nothing', () => {
  const empty = offering({ Loader: { ckpt_name: { v1: [] } }, Sampler: {} });
  expect(lacksOf(empty)).toEqual([{ classType: 'Loader', inputName: 'ckpt_name', value: 'sdxl/base.ckpt' }]);
});

describe('what it listed and refused', () => {
  test('is lacking when the prompt needs it, however it was spelled', () => {
    const suspicion = { classType: 'Loader', inputName: 'ckpt_name', value: 'sdxl\\base.ckpt' };
    expect(lacksOf(linux, [suspicion])).toEqual([suspicion]);
  });

  test('is lacking when it is a whole class', () => {
    const suspicion = { classType: 'Sampler', inputName: null, value: null };
    expect(lacksOf(linux, [suspicion])).toEqual([suspicion]);
  });

  test('is no lack for a prompt that does not need it', () => {
    expect(
      lacksOf(linux, [
        { classType: 'Loader', inputName: 'ckpt_name', value: 'sd15.ckpt' },
        { classType: 'Loader', inputName: 'vae_name', value: 'sdxl/base.ckpt' },
        { classType: 'Other', inputName: 'ckpt_name', value: 'sdxl/base.ckpt' },
        { classType: 'Other', inputName: null, value: null },
      ]),
    ).toEqual([]);
  });

  test('does not stay behind when it is no longer suspected', () => {
    lacksOf(linux, [{ classType: 'Sampler', inputName: null, value: null }]);
    expect(lacksOf(linux)).toEqual([]);
  });
});

test('the verdict on one backend says nothing of another, nor that on one prompt of the next', () => {
  const less = needsOf(promptOf(['Sampler', { sampler_name: 'euler' }]), linux);
  for (let round = 0; round < 2; round += 1) {
    expect(lacksOf(linux)).toHaveLength(0);
    expect(lacksOf(windows)).toHaveLength(2);
    expect(findLacks(less, { definitions: windows, suspicions: [] })).toEqual([]);
  }
});

test('thousands of prompts with different needs are told apart, and asked again give the same verdicts', () => {
  const files = Array.from({ length: 3_000 }, (_, index) => `${index}.ckpt`);
  const everything = offering({ Loader: { ckpt_name: { v1: files } } });
  const odd = offering({ Loader: { ckpt_name: { v1: files.filter((_, index) => index % 2 === 1) } } });
  const needs = files.map((file) => needsOf(promptOf(['Loader', { ckpt_name: file }]), everything));
  for (let round = 0; round < 2; round += 1) {
    const lacking = needs.map((each) => findLacks(each, { definitions: odd, suspicions: [] })?.length);
    expect(lacking).toEqual(files.map((_, index) => (index % 2 === 1 ? 0 : 1)));
  }
});

test('a lack is told to people with its place', () => {
  expect(describeLack({ classType: 'Sampler', inputName: null, value: null })).toBe('node Sampler');
  expect(describeLack({ classType: 'Loader', inputName: 'ckpt_name', value: 'a.ckpt' })).toBe(
    '"a.ckpt" (ckpt_name of Loader)',
  );
});

test('what a backend does not list and is suspected of is told once', () => {
  const full = offering({ Loader: { name: { v1: ['a.ckpt', 'b.ckpt'] } } });
  const less = offering({ Loader: { name: { v1: ['b.ckpt'] } } });
  const lack = { classType: 'Loader', inputName: 'name', value: 'a.ckpt' };
  const needs = needsOf(promptOf(['Loader', { name: 'a.ckpt' }]), full);
  expect(findLacks(needs, { definitions: less, suspicions: [lack] })).toEqual([lack]);
});
