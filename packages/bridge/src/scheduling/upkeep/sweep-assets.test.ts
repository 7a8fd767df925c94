import { expect, test } from 'vitest';

import { sweepAssets } from './sweep-assets.ts';

function createAssets(orphans: string[], inUse: string[] = []) {
  const left = new Set(orphans);
  const removed: string[] = [];
  return {
    removed,
    deps: {
      assets: {
        sweep: async () => [...left],
        dropOrphan: (savedName: string) => void left.delete(savedName),
        isBlobInUse: (savedName: string) => inUse.includes(savedName),
      },
      files: { remove: async (key: string) => void removed.push(key) },
    },
  };
}

test('a file that no asset names is kept until no unfinished job names it either', async () => {
  const { deps, removed } = createAssets(['a.png', 'b.png']);
  await sweepAssets(deps, (savedName) => savedName === 'a.png');
  expect(removed).toEqual(['uploads/b.png']);
  await sweepAssets(deps, () => false);
  expect(removed).toEqual(['uploads/b.png', 'uploads/a.png']);
});

test('a file that was named anew meanwhile is kept', async () => {
  const { deps, removed } = createAssets(['a.png'], ['a.png']);
  await sweepAssets(deps, () => false);
  expect(removed).toEqual([]);
});
