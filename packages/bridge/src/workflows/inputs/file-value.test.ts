import { expect, test } from 'vitest';

import { isOfFormat, toAssetId } from './file-value.ts';

const id = 'd02302bd-c920-4608-a17a-22e2008f47c4';

test.each([
  [id, id],
  [id.toUpperCase(), id],
  [{ asset: id }, id],
  [{ __type: 'core/ASSET', info: { id, hash: 'blake3:00', other: 1 } }, id],
  [`${id}.png`, undefined],
  [{ asset: id, other: 1 }, undefined],
  [{ asset: [id] }, undefined],
  [{ __type: 'core/OTHER', info: { id } }, undefined],
  [{ info: { id } }, undefined],
  ['', undefined],
  [null, undefined],
  [[id], undefined],
])('%j stands for the asset %s', (value, assetId) => {
  expect(toAssetId(value)).toBe(assetId);
});

test.each([
  ['image', ['image/png', 'image/gif'], ['video/mp4', 'audio/mpeg', 'text/plain']],
  ['mask', ['image/png'], ['video/mp4']],
  ['video', ['video/mp4', 'image/gif', 'image/webp'], ['image/png', 'audio/mpeg']],
  ['audio', ['audio/mpeg', 'video/mp4'], ['image/png', 'text/plain']],
] as const)('an input of format %s takes %j, not %j', (format, taken, refused) => {
  expect(taken.filter((type) => !isOfFormat(type, format))).toEqual([]);
  expect(refused.filter((type) => isOfFormat(type, format))).toEqual([]);
});
