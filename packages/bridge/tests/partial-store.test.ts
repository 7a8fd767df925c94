import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';

import { Upload } from '@tus/server';
import { expect, test } from 'vitest';

import { BridgeError } from '../src/errors.ts';
import { openPartialStore } from '../src/files/assets/partial-store.ts';

const ids = ['a', 'b', 'c'].map((letter) => `${letter.repeat(8)}-2b3e-4f56-8a7b-1c2d3e4f5a6b`);
const [one = '', two = '', three = ''] = ids;

async function createFixture({ maxUploads = 10, room = 1_000 } = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'partial-test-'));
  const clock = { ms: Date.now() };
  const quota = { used: 0 };
  const open = () =>
    openPartialStore(
      {
        room: {
          check(bytes) {
            if (quota.used + bytes > room) throw new BridgeError('storage_full', 'full');
          },
          count: (bytes) => void (quota.used += bytes),
        },
        currentAccount: () => 'me',
        now: () => clock.ms,
      },
      { directory, maxUploads, ttlMs: 1_000 },
    );
  return {
    ...{ directory, clock, quota, open, store: await open() },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

const begin = (id: string, size = 100) =>
  new Upload({ id, size, offset: 0, metadata: { filename: 'a.png' } });
const bytes = (count: number) => Readable.from([Buffer.alloc(count)]);

test('only so many uploads are unfinished at a time', async () => {
  await using fixture = await createFixture({ maxUploads: 2 });
  const { store } = fixture;
  await store.create(begin(one));
  await store.create(begin(two));
  await expect(store.create(begin(three))).rejects.toMatchObject({ code: 'limited' });
  await store.remove(one);
  await store.create(begin(three));
  expect(await readdir(fixture.directory)).toHaveLength(4);
});

test('bytes are counted as they come, and those that do not fit are not written', async () => {
  await using fixture = await createFixture({ room: 150 });
  const { store, quota } = fixture;
  await store.create(begin(one));
  await store.create(begin(two));
  expect(await store.write(bytes(100), one, 0)).toBe(100);
  await expect(store.write(bytes(60), two, 0)).rejects.toMatchObject({ code: 'storage_full' });
  expect(quota.used).toBe(100);
  expect((await store.getUpload(two)).offset).toBe(0);
  await expect(store.create(begin(three))).rejects.toMatchObject({ code: 'storage_full' });
  await store.remove(one);
  expect(quota.used).toBe(0);
});

test('what came before the source broke is kept', async () => {
  await using fixture = await createFixture();
  const { store, quota } = fixture;
  await store.create(begin(one));
  async function* broken() {
    yield Buffer.alloc(30);
    await new Promise((resolve) => setImmediate(resolve));
    throw new Error('the line is cut');
  }
  await expect(store.write(Readable.from(broken()), one, 0)).rejects.toThrow('the line is cut');
  expect((await store.getUpload(one)).offset).toBe(quota.used);
  const { offset } = await store.getUpload(one);
  expect(await store.write(bytes(100 - offset), one, offset)).toBe(100);
});

test('after a restart whole records are gone on with, and the rest is removed', async () => {
  await using fixture = await createFixture();
  const { directory, store, quota, open } = fixture;
  await store.create(begin(one));
  await store.write(bytes(40), one, 0);
  await writeFile(join(directory, two), 'bytes without a record');
  await writeFile(join(directory, `${three}.json`), '{');
  await writeFile(join(directory, three), 'bytes with half of a record');
  await writeFile(join(directory, 'not-ours'), 'x');
  quota.used = 0;
  const reopened = await open();
  expect((await reopened.getUpload(one)).offset).toBe(40);
  expect(reopened.find(one, 'me')?.metadata).toEqual({ filename: 'a.png' });
  expect(reopened.find(one, 'other')).toBeUndefined();
  expect(quota.used).toBe(40);
  expect((await readdir(directory)).toSorted()).toEqual([one, `${one}.json`, 'not-ours']);
});

test('an upload that takes too long is given up', async () => {
  await using fixture = await createFixture();
  const { store, clock, quota, directory } = fixture;
  await store.create(begin(one));
  await store.write(bytes(40), one, 0);
  clock.ms += 999;
  expect(await store.deleteExpired()).toBe(0);
  clock.ms += 1;
  expect(store.find(one, 'me')).toBeUndefined();
  expect(await store.deleteExpired()).toBe(1);
  expect(await readdir(directory)).toEqual([]);
  expect(quota.used).toBe(0);
});
