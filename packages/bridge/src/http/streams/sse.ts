import type { Response } from 'express';

/** One stream of server-sent events. */
export interface EventStream {
  /** False when the reader is behind, so that what can be left out should be. */
  readonly keepsUp: boolean;
  /** Sends a frame of `toFrame`; the same bytes can go to any number of readers. */
  send(frame: Buffer): void;
  end(): void;
}

/** Unsent bytes beyond which snapshots are left out. */
const behindBytes = 64 * 1024;
/** Unsent bytes beyond which a reader that does not read is let go. */
const tooFarBehindBytes = 2 * 1024 * 1024;

/** A comment, which keeps proxies from closing a stream that has nothing to tell. */
export const keepAliveFrame = Buffer.from(': \n\n');

/** One event as it goes over the wire; `data` is JSON, which holds no line breaks, so one line is enough. */
export function toFrame(event: string, data: string, id?: number): Buffer {
  return Buffer.from(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`);
}

/** Told before the end of a stream whose key is over. */
export const keyIsOver = toFrame(
  'error',
  JSON.stringify({ error: { code: 'unauthorized', message: 'this key is no longer valid' } }),
);

/** Answers with an event stream; `onClose` is called once, whoever ended it. */
export function openEventStream(response: Response, onClose: () => void): EventStream {
  response.writeHead(200, {
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-store, no-transform',
    // nginx would collect events until its buffer is full.
    'X-Accel-Buffering': 'no',
  });
  response.flushHeaders();
  response.on('error', () => {});
  // Its reader may have gone while it was looked up what to send.
  if (response.destroyed) queueMicrotask(onClose);
  else response.once('close', onClose);

  return {
    get keepsUp() {
      return response.writableLength <= behindBytes;
    },
    send(frame) {
      if (response.writableEnded || response.destroyed) return;
      response.write(frame);
      if (response.writableLength > tooFarBehindBytes) response.destroy();
    },
    end() {
      if (!response.writableEnded) response.end();
    },
  };
}
