import { expect, test } from 'vitest';

import { judgeLicence } from '../../scripts/judge-licence.ts';

test.for(['MIT', 'Apache-2.0', '(MIT OR GPL-3.0)', 'MIT AND ISC'])('%s may be depended on', (licence) => {
  expect(judgeLicence({ name: 'x', licence })).toEqual([]);
});

test.for(['GPL-3.0', 'AGPL-3.0-only', 'Unknown', 'SEE LICENSE IN LICENSE.md', 'MIT AND GPL-3.0', 'MPL-2.0'])(
  '%s may not, without a reason',
  (licence) => {
    expect(judgeLicence({ name: 'x', licence })).toEqual([
      expect.stringContaining(`x is under «${licence}»`),
    ]);
  },
);

test('a reason holds for what it was given for, under that licence alone', () => {
  expect(judgeLicence({ name: '@img/sharp-libvips-linux-x64', licence: 'LGPL-3.0-or-later' })).toEqual([]);
  expect(judgeLicence({ name: '@img/sharp-libvips-linux-x64', licence: 'GPL-3.0' })).toHaveLength(1);
  expect(judgeLicence({ name: 'combine-errors-2', licence: 'Unknown' })).toHaveLength(1);
});
