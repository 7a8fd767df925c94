import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { limitStorage } from '../src/files/limit-storage.ts';
import { createStore } from './_files-fixtures.ts';
import type { StoreFixture } from './_files-fixtures.ts';

const read = async ({ store }: StoreFixture, key: `uploads/${string}`) =>
  Buffer.concat(await (await store.open(key)).stream.toArray()).toString();

test('a copy needs no room on the disk, and neither file minds what becomes of the other', async () => {
  await using fixture = await createStore();
  const { store, directory } = fixture;
  await store.put('results/job/0', Buffer.from('content'));
  await store.copy('results/job/0', 'uploads/a.txt');
  const [one, other] = [join(directory, 'results/job.0'), join(directory, 'uploads/a.txt')];
  expect((await stat(one)).ino).toBe((await stat(other)).ino);
  await store.remove('results/job/0');
  expect(await read(fixture, 'uploads/a.txt')).toBe('content');
  await expect(store.copy('results/job/0', 'uploads/b.txt')).rejects.toMatchObject({ code: 'not_found' });
});

test('a file from elsewhere is moved in', async () => {
  await using fixture = await createStore();
  const path = join(fixture.directory, 'elsewhere');
  await writeFile(path, 'content');
  const { ino } = await stat(path);
  await fixture.store.adopt(path, 'uploads/a.txt');
  expect(await read(fixture, 'uploads/a.txt')).toBe('content');
  expect((await stat(join(fixture.directory, 'uploads/a.txt'))).ino).toBe(ino);
  await expect(readFile(path)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a part is read from both ends, be the file small or large', async () => {
  await using fixture = await createStore();
  for (const size of [1_000, 1_000_000]) {
    const bytes = Buffer.from(Array.from({ length: size }, (_, index) => index & 0xff));
    await fixture.store.put('uploads/a.txt', bytes);
    for (const [start, end] of [
      [0, 0],
      [10, 19],
      [size - 1, size - 1],
      [0, size - 1],
    ] as const) {
      const opened = await fixture.store.open('uploads/a.txt', { start, end });
      expect(opened.size).toBe(size);
      const part = Buffer.concat(await opened.stream.toArray());
      expect(part.equals(bytes.subarray(start, end + 1)), `${start}-${end} of ${size}`).toBe(true);
    }
  }
});

test('copies and files from elsewhere count against the quota, and give it back', async () => {
  await using fixture = await createStore();
  const store = await limitStorage(fixture.store, { maxBytes: 1_000 });
  await store.put('results/job/0', Buffer.alloc(400));
  await store.copy('results/job/0', 'uploads/a.txt');
  await expect(store.copy('results/job/0', 'uploads/b.txt')).rejects.toMatchObject({ code: 'storage_full' });
  expect(() => store.room.check(200)).toThrow('storage of the bridge is full');
  await store.remove('uploads/a.txt');
  store.room.check(500);
  store.room.count(500);
  expect(() => store.room.check(1)).toThrow('full');
  const path = join(fixture.directory, 'elsewhere');
  await writeFile(path, Buffer.alloc(500));
  await store.adopt(path, 'uploads/c.txt');
  store.room.count(-500);
  expect(() => store.room.check(1)).toThrow('full');
  await store.remove('uploads/c.txt');
  store.room.check(500);
});
