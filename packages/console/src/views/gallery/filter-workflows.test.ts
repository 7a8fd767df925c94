import { expect, test } from 'vitest';

import { filterWorkflows } from './filter-workflows.ts';

const workflows = [
  { alias: 'text-to-image', title: 'Text to image', description: 'Makes a picture. / 글로 그림을 만듭니다.' },
  { alias: 'upscale', title: 'Upscale', description: 'Enlarges a café picture.' },
];

function found(query: string): string[] {
  return filterWorkflows(workflows, query).map(({ alias }) => alias);
}

test('every word must be in it, in any order, in title, name or description', () => {
  expect(found('  ')).toHaveLength(2);
  expect(found('PICTURE text')).toEqual(['text-to-image']);
  expect(found('to-im')).toEqual(['text-to-image']);
  expect(found('cafe')).toEqual(['upscale']);
  expect(found('video')).toEqual([]);
});

test('Korean is found while a syllable is still being typed', () => {
  for (const query of ['그림', '그리', '글로 그', '만드']) expect(found(query)).toEqual(['text-to-image']);
});
