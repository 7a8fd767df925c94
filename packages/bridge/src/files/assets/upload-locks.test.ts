import { expect, test } from 'vitest';

import { createUploadLocks } from './upload-locks.ts';

const never = new AbortController().signal;

test('who comes asks the one before to leave, and enters when it has', async () => {
  const locks = createUploadLocks({ patienceMs: 10_000 });
  const asked: string[] = [];
  const [first, second, third] = ['first', 'second', 'third'].map((name) => ({
    lock: locks.newLock('a'),
    askToLeave: () => void asked.push(name),
  }));
  if (first === undefined || second === undefined || third === undefined) throw new Error('three locks');
  const entered: string[] = [];
  await first.lock.lock(never, first.askToLeave);
  const waiting = second.lock.lock(never, second.askToLeave).then(() => entered.push('second'));
  const last = third.lock.lock(never, third.askToLeave).then(() => entered.push('third'));
  expect(asked).toContain('first');
  await locks.newLock('b').lock(never, () => {});
  expect(entered).toEqual([]);
  await first.lock.unlock();
  await waiting;
  expect(entered).toEqual(['second']);
  await second.lock.unlock();
  await last;
  await third.lock.unlock();
  await locks.newLock('a').lock(never, () => {});
});

test('who cannot enter in time is told to try again', async () => {
  const locks = createUploadLocks({ patienceMs: 10 });
  await locks.newLock('a').lock(never, () => {});
  await expect(locks.newLock('a').lock(never, () => {})).rejects.toMatchObject({ code: 'conflict' });
  const gone = AbortSignal.abort();
  await expect(locks.newLock('a').lock(gone, () => {})).rejects.toMatchObject({ code: 'conflict' });
});
