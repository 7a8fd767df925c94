import { mkdir, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { createDiskFileStore } from '../src/files/disk-file-store.ts';
import type { FileKey, FileStore } from '../src/files/file-store.ts';
import { limitStorage } from '../src/files/limit-storage.ts';
import { toStorageError } from '../src/files/storage-error.ts';
import { sweepFiles } from '../src/files/sweep-files.ts';
import { createStore } from './_files-fixtures.ts';

async function put(store: FileStore, key: FileKey, content = 'content'): Promise<void> {
  const pending = await store.createPending('upload');
  await pending.receive(Readable.from([Buffer.from(content)]), { maxBytes: 1000 });
  await pending.commit(key);
}

async function read(store: FileStore, key: FileKey): Promise<string> {
  const { stream } = await store.open(key);
  return Buffer.concat(await stream.toArray()).toString();
}

async function keys(store: FileStore, kind: 'uploads' | 'results'): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list(kind)) found.push(key);
  return found.toSorted();
}

test('a file is invisible until it is committed, and then whole', async () => {
  await using fixture = await createStore();
  const { store } = fixture;
  const pending = await store.createPending('upload');
  await pending.receive(Readable.from([Buffer.from('ab'), Buffer.from('c')]), { maxBytes: 3 });
  expect(pending.size).toBe(3);
  expect(pending.hash).toBe('blake3:6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85');
  expect(await store.stat('uploads/a.txt')).toBeUndefined();
  await pending.commit('uploads/a.txt');
  await pending.discard();
  expect(await read(store, 'uploads/a.txt')).toBe('abc');
  expect(await store.stat('uploads/a.txt')).toMatchObject({ key: 'uploads/a.txt', size: 3 });
  expect(await fixture.left()).toHaveLength(1);
});

test('large files arrive as they were sent', async () => {
  await using fixture = await createStore();
  const chunks = Array.from({ length: 400 }, (_, index) => Buffer.alloc(30_001, index));
  const pending = await fixture.store.createPending('upload');
  await pending.receive(Readable.from(chunks), { maxBytes: 20_000_000 });
  await pending.commit('results/job-1/0');
  const { stream, size } = await fixture.store.open('results/job-1/0');
  expect(size).toBe(400 * 30_001);
  expect(Buffer.concat(await stream.toArray()).equals(Buffer.concat(chunks))).toBe(true);
});

test('a file over the cap is cut off, its source destroyed, and nothing stays', async () => {
  await using fixture = await createStore();
  const source = new Readable({
    read() {
      this.push(Buffer.alloc(1000));
    },
  });
  const pending = await fixture.store.createPending('upload');
  await expect(pending.receive(source, { maxBytes: 10_000 })).rejects.toMatchObject({ code: 'too_large' });
  expect(source.destroyed).toBe(true);
  await pending.discard();
  await pending.discard();
  expect(await fixture.left()).toEqual([]);
});

test('what the disk refuses is told as storage that is full', () => {
  for (const code of ['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE']) {
    expect(toStorageError(Object.assign(new Error(`${code}: /secret/path`), { code }))).toMatchObject({
      code: 'storage_full',
      message: expect.not.stringContaining('/secret'),
    });
  }
  const other = Object.assign(new Error('x'), { code: 'EIO' });
  expect(toStorageError(other)).toBe(other);
});

test('an existing file is replaced, and removing what is not there is fine', async () => {
  await using fixture = await createStore();
  const { store } = fixture;
  await put(store, 'uploads/a.txt', 'one');
  await put(store, 'uploads/a.txt', 'two');
  expect(await read(store, 'uploads/a.txt')).toBe('two');
  await store.remove('uploads/a.txt');
  await store.remove('uploads/a.txt');
  await store.touch('uploads/a.txt');
  await expect(store.open('uploads/a.txt')).rejects.toMatchObject({ code: 'not_found' });
});

test('no key leads out of the directory', async () => {
  await using fixture = await createStore();
  const { store } = fixture;
  const bad: FileKey[] = [
    'uploads/../secret',
    'uploads/',
    'uploads/a/b',
    'uploads/.hidden',
    'results/../x',
    'results/a/../../x',
    'uploads/a\0b',
  ];
  for (const key of bad) {
    expect(await store.stat(key)).toBeUndefined();
    await expect(store.open(key)).rejects.toMatchObject({ code: 'not_found' });
    await expect(store.remove(key)).rejects.toThrow('not a key');
    await expect(put(store, key)).rejects.toThrow('not a key');
  }
});

test('results of one job can be stored and removed side by side', async () => {
  await using fixture = await createStore();
  const { store } = fixture;
  await Promise.all(
    Array.from({ length: 40 }, async (_, index) => {
      await put(store, `results/job/${index}`);
      if (index % 2 === 0) await store.remove(`results/job/${index}`);
    }),
  );
  expect(await keys(store, 'results')).toHaveLength(20);
});

test('a start sweeps what was being received and keeps the rest', async () => {
  await using fixture = await createStore();
  await put(fixture.store, 'uploads/a.txt');
  const crashed = await fixture.store.createPending('upload');
  await crashed.receive(Readable.from([Buffer.from('half')]), { maxBytes: 100 });
  const again = await createDiskFileStore({ directory: fixture.directory });
  expect(await fixture.left()).toHaveLength(1);
  expect(await keys(again, 'uploads')).toEqual(['uploads/a.txt']);
  await crashed.discard();
});

test.each([0, 10, 300_000])('%i bytes from memory are stored whole', async (size) => {
  await using fixture = await createStore();
  const { store } = fixture;
  const bytes = Buffer.alloc(size, 'abc');
  await store.put('results/job/0', Buffer.alloc(5));
  await store.put('results/job/0', bytes);
  await Promise.all(Array.from({ length: 20 }, (_, index) => store.put(`results/other/${index}`, bytes)));
  const { stream, size: told } = await store.open('results/job/0');
  expect(told).toBe(size);
  expect(Buffer.concat(await stream.toArray()).equals(bytes)).toBe(true);
  expect(await store.stat('results/job/0')).toMatchObject({ key: 'results/job/0', size });
  expect(await fixture.left()).toHaveLength(21);
  await expect(store.put('results/../0', bytes)).rejects.toThrow('not a key');
});

test('what cannot be stored leaves nothing behind', async () => {
  await using fixture = await createStore();
  await mkdir(join(fixture.directory, 'results', 'job.0', 'in the way'), { recursive: true });
  await expect(fixture.store.put('results/job/0', Buffer.from('x'))).rejects.toThrow(
    /EISDIR|ENOTEMPTY|EEXIST/,
  );
  expect(await fixture.left()).toEqual([]);
});

test('results in a folder for each job, as they were kept before, are found and removed', async () => {
  await using fixture = await createStore();
  const { store, directory } = fixture;
  await mkdir(join(directory, 'results', 'job.a-1'));
  for (const index of ['0', '1', 'notes.txt'])
    await writeFile(join(directory, 'results', 'job.a-1', index), 'before');
  await put(store, 'results/job.a-1/2', 'now');
  expect(await keys(store, 'results')).toEqual([
    'results/job.a-1/0',
    'results/job.a-1/1',
    'results/job.a-1/2',
  ]);
  expect(await read(store, 'results/job.a-1/1')).toBe('before');
  expect(await store.stat('results/job.a-1/1')).toMatchObject({ size: 6 });
  for (const index of [0, 1, 2]) await store.remove(`results/job.a-1/${index}`);
  expect(await keys(store, 'results')).toEqual([]);
  await rm(join(directory, 'results', 'job.a-1', 'notes.txt'));
  await writeFile(join(directory, 'results', 'job.a-1', '3'), 'before');
  await store.remove('results/job.a-1/3');
  expect(await readdir(join(directory, 'results'))).toEqual([]);
});

test('under a quota, what is stored from memory counts, and what does not fit is refused', async () => {
  await using fixture = await createStore();
  const store = await limitStorage(fixture.store, { maxBytes: 100 });
  await store.put('results/a/0', Buffer.alloc(60));
  await expect(store.put('results/b/0', Buffer.alloc(41))).rejects.toMatchObject({ code: 'storage_full' });
  await expect(store.put('uploads/b.txt', Buffer.alloc(31))).rejects.toMatchObject({ code: 'storage_full' });
  await store.put('results/b/0', Buffer.alloc(40));
  await store.remove('results/a/0');
  await store.put('uploads/b.txt', Buffer.alloc(31));
  await expect(store.put('results/../0', Buffer.alloc(1))).rejects.toThrow('not a key');
  await store.put('results/c/0', Buffer.alloc(29));
});

test('a sweep removes expired uploads that no unfinished job names, and results without a job', async () => {
  await using fixture = await createStore();
  const { store, directory } = fixture;
  for (const name of ['old.png', 'used.png', 'new.png']) await put(store, `uploads/${name}`);
  for (const key of ['results/known/0', 'results/orphan/0', 'results/orphan/1', 'results/fresh/0'] as const)
    await put(store, key);
  const now = Date.now();
  const old = new Date(now - 10_000);
  for (const key of [
    'uploads/old.png',
    'uploads/used.png',
    'results/known.0',
    'results/orphan.0',
    'results/orphan.1',
  ]) {
    await utimes(join(directory, key), old, old);
  }
  const asked: string[] = [];
  const swept = await sweepFiles(
    { store },
    {
      uploadTtlMs: 5000,
      orphanGraceMs: 5000,
      isUploadInUse: (name) => name === 'used.png',
      isResultKnown: (jobId) => {
        asked.push(jobId);
        return Promise.resolve(jobId === 'known');
      },
      now,
    },
  );
  expect(swept).toEqual({ uploads: 1, results: 2, failed: 0 });
  expect(await keys(store, 'uploads')).toEqual(['uploads/new.png', 'uploads/used.png']);
  expect(await keys(store, 'results')).toEqual(['results/fresh/0', 'results/known/0']);
  expect(asked.toSorted()).toEqual(['known', 'orphan']);
});

test('of the results of a job that is known, a sweep removes those that it does not name', async () => {
  await using fixture = await createStore();
  const { store, directory } = fixture;
  const old = new Date(Date.now() - 10_000);
  for (const index of [0, 1, 10_000]) {
    await put(store, `results/known/${index}`);
    await utimes(join(directory, `results/known.${index}`), old, old);
  }
  const swept = await sweepFiles(
    { store },
    {
      uploadTtlMs: 5000,
      orphanGraceMs: 5000,
      isUploadInUse: () => false,
      isResultKnown: async () => new Set([1, 10_000]),
      now: Date.now(),
    },
  );
  expect(swept).toEqual({ uploads: 0, results: 1, failed: 0 });
  expect(await keys(store, 'results')).toEqual(['results/known/1', 'results/known/10000']);
});

test('a touched upload lives on, and one failing answer does not stop the sweep', async () => {
  await using fixture = await createStore();
  const { store, directory } = fixture;
  const old = new Date(Date.now() - 10_000);
  for (const name of ['touched.png', 'gone.png']) {
    await put(store, `uploads/${name}`);
    await utimes(join(directory, 'uploads', name), old, old);
  }
  for (const jobId of ['bad', 'orphan']) {
    await put(store, `results/${jobId}/0`);
    await utimes(join(directory, `results/${jobId}.0`), old, old);
  }
  await store.touch('uploads/touched.png');
  const swept = await sweepFiles(
    { store },
    {
      uploadTtlMs: 5000,
      orphanGraceMs: 5000,
      isUploadInUse: () => false,
      isResultKnown: async (jobId) => {
        if (jobId === 'bad') throw new Error('the store is away');
        return false;
      },
      now: Date.now(),
    },
  );
  expect(swept).toEqual({ uploads: 1, results: 1, failed: 1 });
  expect(await keys(store, 'uploads')).toEqual(['uploads/touched.png']);
});

test('files that others put there are left alone', async () => {
  await using fixture = await createStore();
  await writeFile(join(fixture.directory, 'uploads', '.DS_Store'), '');
  await mkdir(join(fixture.directory, 'results', 'empty'));
  expect(await keys(fixture.store, 'uploads')).toEqual([]);
  expect(await keys(fixture.store, 'results')).toEqual([]);
});
