import { expect, test } from 'vitest';

import { createDeferred } from './deferred.ts';
import { createKeyedMutex } from './keyed-mutex.ts';

test('work under one key runs one after the other, in order', async () => {
  const mutex = createKeyedMutex();
  const log: string[] = [];
  const gate = createDeferred();
  const first = mutex.run('a', async () => {
    log.push('first begins');
    await gate.promise;
    log.push('first ends');
  });
  const second = mutex.run('a', async () => void log.push('second'));
  const third = mutex.run('a', async () => void log.push('third'));
  await mutex.run('b', async () => void log.push('other key'));
  expect(log).toEqual(['first begins', 'other key']);
  gate.resolve();
  await Promise.all([first, second, third]);
  expect(log).toEqual(['first begins', 'other key', 'first ends', 'second', 'third']);
});

test('the result and the error go to the one who asked; the next one runs all the same', async () => {
  const mutex = createKeyedMutex();
  const broken = mutex.run('a', async () => {
    throw new Error('broken');
  });
  const fine = mutex.run('a', async () => 7);
  await expect(broken).rejects.toThrow('broken');
  expect(await fine).toBe(7);
});

test('a key that nobody holds starts at once', async () => {
  const mutex = createKeyedMutex();
  await mutex.run('a', async () => {});
  let started = false;
  const again = mutex.run('a', async () => void (started = true));
  expect(started).toBe(true);
  await again;
});

test('idle waits for everything under way, failures included', async () => {
  const mutex = createKeyedMutex();
  const { promise, resolve } = Promise.withResolvers<void>();
  let isIdle = false;
  const works = [mutex.run('a', () => promise), mutex.run('b', () => Promise.reject(new Error('broken')))];
  const idle = mutex.idle().then(() => {
    isIdle = true;
  });
  await expect(works[1]).rejects.toThrow('broken');
  expect(isIdle).toBe(false);
  resolve();
  await idle;
  await works[0];
});
