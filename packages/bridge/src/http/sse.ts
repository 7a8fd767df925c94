import type { Response } from 'express';

/** One stream of server-sent events, with comments that keep proxies from closing it. */
export interface EventStream {
  /** False when the reader is behind, so that what can be left out should be. */
  readonly keepsUp: boolean;
  send(event: { id?: number | undefined; event: string; data: unknown }): void;
  end(): void;
}

const keepAliveMs = 15_000;
/** Unsent bytes beyond which snapshots are left out. */
const behindBytes = 64 * 1024;
/** Unsent bytes beyond which a reader that does not read is let go; it resumes by `Last-Event-ID`. */
const tooFarBehindBytes = 2 * 1024 * 1024;

/** Answers with an event stream; `onClose` is called once, whoever ended it. */
export function openEventStream(response: Response, onClose: () => void): EventStream {
  response.writeHead(200, {
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-store, no-transform',
    // nginx would collect events until its buffer is full.
    'X-Accel-Buffering': 'no',
  });
  response.flushHeaders();
  const keepAlive = setInterval(() => write(': \n\n'), keepAliveMs);
  keepAlive.unref();
  response.on('error', () => {});
  function closed(): void {
    clearInterval(keepAlive);
    onClose();
  }
  // Its reader may have gone while it was looked up what to send.
  if (response.destroyed) queueMicrotask(closed);
  else response.once('close', closed);

  function write(text: string): void {
    if (response.writableEnded || response.destroyed) return;
    response.write(text);
    if (response.writableLength > tooFarBehindBytes) response.destroy();
  }

  return {
    get keepsUp() {
      return response.writableLength <= behindBytes;
    },
    send({ id, event, data }) {
      // JSON holds no line breaks, so one data line is enough.
      write(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    },
    end() {
      if (!response.writableEnded) response.end();
    },
  };
}
