import { expect, test } from 'vitest';

import { createLogger } from '../../logging.ts';
import { createAssetRegistry } from './asset-registry.ts';
import type { AssetRecords } from './asset-registry.ts';
import type { Asset } from './asset.ts';

const log = createLogger({ level: 'fatal', format: 'json', destination: { write: () => {} } });
const hash = `blake3:${'a'.repeat(64)}` as const;

function createRecords() {
  const texts = new Map<string, string>();
  const state = { texts, failsWith: undefined as Error | undefined };
  const records: AssetRecords = {
    readRecords: async () => new Map(texts),
    async writeRecords(_collection, entries) {
      if (state.failsWith !== undefined) throw state.failsWith;
      for (const [key, text] of entries) texts.set(key, text);
    },
    async removeRecords(_collection, keys) {
      if (state.failsWith !== undefined) throw state.failsWith;
      for (const key of keys) texts.delete(key);
    },
  };
  return { ...state, state, records };
}

function toAsset(id: string, changes: Partial<Asset> = {}): Asset {
  return {
    ...{ id, account: 'one', hash, size: 3, contentType: 'text/plain', filePath: 'a.txt', tags: [] },
    ...{ savedName: 'blob.txt', createdAt: 0, expiresAt: 1_000, hasOwnExpiry: false, ...changes },
  };
}

async function createFixture({ maxAssets = 10 } = {}) {
  const clock = { ms: 0 };
  const kept = createRecords();
  const open = () => createAssetRegistry({ records: kept.records, now: () => clock.ms, log }, { maxAssets });
  return { clock, kept, open, registry: await open() };
}

test('an asset over the same bytes is found, and what is unreadable is passed over', async () => {
  const { registry, open, kept } = await createFixture();
  await registry.mint(toAsset('a'));
  await registry.mint(toAsset('b', { tags: ['x', 'y'] }));
  kept.texts.set('c', '{"id": "c"}');
  kept.texts.set('d', 'no json');
  const reopened = await open();
  expect(reopened.findBlob(hash, 'one')?.id).toBe('a');
  expect(reopened.findBlob(hash, 'one', '.png')).toBeUndefined();
  expect(reopened.findBlob(hash, 'two')).toBeUndefined();
  const reference = { account: 'one', hash, filePath: 'a.txt' };
  expect(reopened.findSame({ ...reference, tags: ['y', 'x'] })?.id).toBe('b');
  expect(reopened.findSame({ ...reference, tags: [] })?.id).toBe('a');
  expect(reopened.findSame({ ...reference, tags: ['x'] })).toBeUndefined();
  expect(reopened.get('c', 'one')).toBeUndefined();
});

test('of several files with the same bytes the newest is taken, or the one with that extension', async () => {
  const { registry, clock } = await createFixture();
  await registry.mint(toAsset('a'));
  await registry.mint(toAsset('b', { savedName: 'newer.csv', expiresAt: 500 }));
  expect(registry.findBlob(hash, 'one')?.id).toBe('b');
  expect(registry.findBlob(hash, 'one', '.txt')?.id).toBe('a');
  clock.ms = 500;
  expect(registry.findBlob(hash, 'one')?.id).toBe('a');
  expect(registry.findBlob(hash, 'one', '.csv')).toBeUndefined();
});

test('a file is unused once its last asset went and nobody is about to use it', async () => {
  const { registry, clock } = await createFixture();
  await registry.mint(toAsset('a'));
  await registry.mint(toAsset('b', { expiresAt: 500 }));
  expect(await registry.sweep()).toEqual([]);
  clock.ms = 600;
  expect(await registry.sweep()).toEqual([]);
  expect(registry.use('a', 'one')?.id).toBe('a');
  expect(await registry.remove('a', 'one')).toBe(true);
  expect(await registry.remove('a', 'one')).toBe(false);
  expect(registry.isBlobInUse('blob.txt')).toBe(true);
  expect(await registry.sweep()).toEqual([]);
  clock.ms += 60_001;
  expect(registry.isBlobInUse('blob.txt')).toBe(false);
  expect(await registry.sweep()).toEqual(['blob.txt']);
  expect(await registry.sweep()).toEqual(['blob.txt']);
  registry.dropOrphan('blob.txt');
  expect(await registry.sweep()).toEqual([]);
});

test('there is a bound, and expired assets make room again', async () => {
  const { registry, clock } = await createFixture({ maxAssets: 2 });
  await registry.mint(toAsset('a'));
  await registry.mint(toAsset('b'));
  await expect(registry.mint(toAsset('c'))).rejects.toMatchObject({ code: 'storage_full' });
  clock.ms = 1_000;
  await registry.sweep();
  await registry.mint(toAsset('c', { expiresAt: 2_000 }));
});

test('what cannot be written has not happened', async () => {
  const { registry, kept } = await createFixture();
  await registry.mint(toAsset('a'));
  kept.state.failsWith = new Error('full');
  await expect(registry.mint(toAsset('b', { savedName: 'other.txt' }))).rejects.toThrow('full');
  expect(registry.get('b', 'one')).toBeUndefined();
  expect(registry.isBlobInUse('other.txt')).toBe(false);
  await expect(registry.remove('a', 'one')).rejects.toThrow('full');
  expect(registry.get('a', 'one')?.id).toBe('a');
  expect(registry.isBlobInUse('blob.txt')).toBe(true);
});

test('the end of an asset is put off and never brought forward', async () => {
  const { registry, open } = await createFixture();
  const asset = toAsset('a');
  await registry.mint(asset);
  expect((await registry.extend(asset, 500)).expiresAt).toBe(1_000);
  expect((await registry.extend(asset, 5_000)).expiresAt).toBe(5_000);
  expect((await open()).get('a', 'one')?.expiresAt).toBe(5_000);
});
