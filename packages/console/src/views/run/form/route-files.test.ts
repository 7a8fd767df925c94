import { expect, test } from 'vitest';

import type { Field, Media } from './form-model.ts';
import { fieldForFile } from './route-files.ts';

const fields: readonly Field[] = (['mask', 'image', 'image', 'video'] as Media[]).map((media, index) => ({
  ...{ name: `${media}${index}`, label: media, description: undefined, pictures: [], isRequired: false },
  ...{ kind: 'file', media, sample: undefined },
}));

function chosen(type: string, filled: string[] = [], active?: string): string | undefined {
  return fieldForFile(fields, { type }, { active, isEmpty: (name) => !filled.includes(name) })?.name;
}

test('a picture goes to the first empty field for pictures, before any mask', () => {
  expect(chosen('image/png')).toBe('image1');
  expect(chosen('image/png', ['image1'])).toBe('image2');
  expect(chosen('image/png', ['image1', 'image2'])).toBe('mask0');
  expect(chosen('image/png', ['mask0', 'image1', 'image2'])).toBe('mask0');
});

test('the field that the person is in comes first', () => {
  expect(chosen('image/png', [], 'image2')).toBe('image2');
});

test('a video goes to the field for videos, and what nobody takes to none', () => {
  expect(chosen('video/mp4')).toBe('video3');
  expect(chosen('application/pdf')).toBeUndefined();
});
