import { BridgeError } from '../../errors.ts';

/** Counts open event streams. */
export interface StreamLimit {
  /** Makes room for one more; call what is returned when it has ended. Throws `too_many_streams`. */
  take(account: string): () => void;
}

/** Streams of everybody together. */
export const maxStreams = 5_000;

/** `perAccount` keeps one caller from using up `total`. */
export function createStreamLimit({ total, perAccount }: { total: number; perAccount: number }): StreamLimit {
  const open = new Map<string, number>();
  let all = 0;
  return {
    take(account) {
      const own = open.get(account) ?? 0;
      if (own >= perAccount)
        throw new BridgeError(
          'too_many_streams',
          `${perAccount} event streams of yours are open: close one, or ask for the job itself`,
        );
      if (all >= total)
        throw new BridgeError('too_many_streams', 'too many event streams are open: ask for the job itself');
      open.set(account, own + 1);
      all += 1;
      let isOpen = true;
      return () => {
        if (!isOpen) return;
        isOpen = false;
        all -= 1;
        const left = (open.get(account) ?? 1) - 1;
        if (left > 0) open.set(account, left);
        else open.delete(account);
      };
    },
  };
}
