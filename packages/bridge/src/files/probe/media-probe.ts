import { BridgeError } from '../../errors.ts';
import { createKeyedMutex } from '../../lib/keyed-mutex.ts';
import type { FileContent } from '../file-content.ts';
import type { ProbedMedia } from './probe-messages.ts';
import { createProbeThread, spawnProbeWorker } from './probe-thread.ts';
import type { ProbeThreadOptions } from './probe-thread.ts';

/** Looks into sounds and videos, away from the event loop. */
export interface MediaProbe extends AsyncDisposable {
  /**
   * What a file holds; undefined where it holds nothing that plays, breaks the parser or keeps it busy for too long. Rejects with
   * `BridgeError('unavailable')` where too many wait already.
   */
  probe(content: FileContent, size: number, contentType: string): Promise<ProbedMedia | undefined>;
}

export interface MediaProbeOptions extends Partial<ProbeThreadOptions> {
  /** Threads, and so files at a time. */
  atOnce?: number;
  maxWaiting?: number;
  /** A file broke the parser, or took too long. */
  onLost?: (cause: unknown) => void;
}

/**
 * Bytes of a file that are looked at. The index of a video may be long and lie at its end; of a sound the beginning says all, and
 * the parser would go on to look for other sounds in it.
 */
const mostRead: Readonly<Record<string, number>> = { 'audio/wav': 64 * 1024 };
const defaultMostRead = 64 * 1024 * 1024;

export function createMediaProbe({
  atOnce = 2,
  maxWaiting = 200,
  deadlineMs = 3_000,
  startMs = 7_000,
  idleMs = 120_000,
  maxMemoryBytes = 96 * 1024 * 1024,
  spawn = spawnProbeWorker,
  onLost = () => {},
}: MediaProbeOptions = {}): MediaProbe {
  const options = { deadlineMs, startMs, idleMs, maxMemoryBytes, spawn };
  const threads = Array.from({ length: atOnce }, () => ({ thread: createProbeThread(options), waiting: 0 }));
  const turns = createKeyedMutex();
  let closed = false;

  return {
    async probe(content, size, contentType) {
      const least = Math.min(...threads.map(({ waiting }) => waiting));
      const index = threads.findIndex(({ waiting }) => waiting === least);
      const chosen = threads[index];
      if (closed || chosen === undefined || least * atOnce >= maxWaiting)
        throw new BridgeError('unavailable', 'too many sounds and videos are being checked: try again later');
      chosen.waiting += 1;
      try {
        const maxRead = mostRead[contentType] ?? defaultMostRead;
        const bytes = typeof content === 'string' ? content : Uint8Array.from(content);
        return await turns.run(String(index), () => chosen.thread.ask({ content: bytes, size, maxRead }));
      } catch (error) {
        onLost(error);
        return undefined;
      } finally {
        chosen.waiting -= 1;
      }
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      await Promise.all(threads.map(({ thread }) => thread.close()));
    },
  };
}
