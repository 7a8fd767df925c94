import type { Viewer } from '../answers/describe-job.ts';
import type { EventStream } from './sse.ts';

/** Writes a frame for this reader, as things stand when it is sent. Undefined: there is nothing to tell any more. */
export type WriteFrame = (viewer: Viewer) => Buffer | undefined;

/** One reader of the stream of everything: what is to be told it waits here until it keeps up. */
export interface PageReader {
  readonly stream: EventStream;
  readonly viewer: Viewer;
  readonly account: string;
  /** Whether it is told of everybody's jobs, and of the fleet. */
  readonly seesAll: boolean;
  /** Whether it is told pictures of its own jobs as they are made. */
  readonly previews: boolean;
  /** To be told soon. What waits under the same key is older, and is not told. */
  offer(key: string, write: WriteFrame): void;
  /** What waits under the key is not true any more. */
  withdraw(key: string): void;
  /** Sends what waits while the reader keeps up. True when something is left. */
  flush(): boolean;
}

export interface PageReaderOptions extends Pick<
  PageReader,
  'stream' | 'viewer' | 'account' | 'seesAll' | 'previews'
> {
  /** Tells the reader to read the lists again: something was left out. */
  hello: () => Buffer;
  /** What waits for a reader that does not read. */
  maxWaiting?: number;
}

export function createPageReader({ hello, maxWaiting = 2_000, ...reader }: PageReaderOptions): PageReader {
  const { stream, viewer } = reader;
  const waiting = new Map<string, WriteFrame>();
  let hasLost = false;

  return {
    ...reader,
    offer(key, write) {
      // Last in line: what is told of one thing comes in the order in which it happened.
      waiting.delete(key);
      waiting.set(key, write);
      const [oldest] = waiting.keys();
      if (waiting.size <= maxWaiting || oldest === undefined) return;
      waiting.delete(oldest);
      hasLost = true;
    },
    withdraw: (key) => void waiting.delete(key),
    flush() {
      for (const [key, write] of waiting) {
        if (!stream.keepsUp) return true;
        waiting.delete(key);
        const frame = write(viewer);
        if (frame !== undefined) stream.send(frame);
      }
      if (hasLost) stream.send(hello());
      hasLost = false;
      return false;
    },
  };
}
