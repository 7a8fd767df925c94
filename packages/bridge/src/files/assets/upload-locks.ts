import type { Locker } from '@tus/server';

import { BridgeError } from '../../errors.ts';

interface Holder {
  /** Asks whoever holds the lock to come to an end. */
  askToLeave(): void;
  left: Promise<void>;
  leave(): void;
}

/**
 * One request at a time per upload. Who comes (a client whose line was cut, and that knows it before we do) asks who is there
 * to leave, and waits for it.
 */
export function createUploadLocks({ patienceMs }: { patienceMs: number }): Locker {
  const holders = new Map<string, Holder>();

  async function enter(id: string, signal: AbortSignal, askToLeave: () => void): Promise<Holder> {
    const tooLong = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
    for (let holder = holders.get(id); holder !== undefined; holder = holders.get(id)) {
      holder.askToLeave();
      if (!(await endsBefore(holder.left, tooLong)))
        throw new BridgeError('conflict', 'another request goes on with this upload: try again');
    }
    const { promise: left, resolve: leave } = Promise.withResolvers<void>();
    const holder = { askToLeave, left, leave };
    holders.set(id, holder);
    return holder;
  }

  return {
    newLock(id) {
      let mine: Holder | undefined;
      return {
        async lock(signal, askToLeave) {
          mine = await enter(id, signal, () => void askToLeave());
        },
        async unlock() {
          if (mine !== undefined && holders.get(id) === mine) holders.delete(id);
          mine?.leave();
        },
      };
    },
  };
}

async function endsBefore(work: Promise<void>, signal: AbortSignal): Promise<boolean> {
  const { promise: aborted, resolve } = Promise.withResolvers<false>();
  const onAbort = () => resolve(false);
  if (signal.aborted) return false;
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work.then(() => true), aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
