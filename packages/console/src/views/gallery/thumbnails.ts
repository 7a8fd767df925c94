import { callForBlob } from '../../bridge/call.ts';

/** The pictures of workflows as object URLs: the bridge gives them to who shows a key, which an `<img>` cannot. */
export interface Thumbnails {
  /** Undefined when it cannot be had. */
  get(url: string): Promise<string | undefined>;
  /** Gives all of them back. */
  dispose(): void;
}

/** More are not asked for at once: browsers have six lines to a host, and others need them, too. */
const maxAtOnce = 3;

export function createThumbnails(): Thumbnails {
  const found = new Map<string, Promise<string | undefined>>();
  const stopped = new AbortController();
  const waiting: (() => void)[] = [];
  let running = 0;

  async function read(url: string): Promise<string | undefined> {
    if (running >= maxAtOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    running += 1;
    try {
      const blob = await callForBlob(url, { signal: stopped.signal, deadlineMs: 30_000 });
      return stopped.signal.aborted ? undefined : URL.createObjectURL(blob);
    } catch {
      // A card without a picture serves as well; the next visit asks again.
      found.delete(url);
      return undefined;
    } finally {
      running -= 1;
      waiting.shift()?.();
    }
  }

  return {
    get(url) {
      const known = found.get(url) ?? read(url);
      found.set(url, known);
      return known;
    },
    dispose() {
      stopped.abort();
      for (const reading of found.values())
        void reading.then((url) => {
          if (url !== undefined) URL.revokeObjectURL(url);
        });
      found.clear();
    },
  };
}
