import { addAbortSignal, Readable } from 'node:stream';

/** A stored file on its way to a client. */
export interface StreamedFile {
  fileName: string;
  contentType: string;
  /** bytes */
  size: number;
  /** Called when its turn comes; the stream is read to its end or destroyed. */
  open(): Promise<Readable>;
}

/** A body whose length is known before any file is opened. */
export interface StreamedBody {
  contentType: string;
  contentLength: number;
  /** Opens one file at a time; destroying it closes the file at hand. Fails when a file is not as long as it was said. */
  stream: Readable;
}

/** Reads one file, holding it to its announced size: the body's length was promised already. */
export async function* readFileExactly(file: StreamedFile, signal: AbortSignal): AsyncGenerator<Buffer> {
  let remaining = file.size;
  for await (const chunk of addAbortSignal(signal, await file.open())) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError('a stored file is read as bytes');
    remaining -= chunk.length;
    if (remaining < 0) break;
    yield chunk;
  }
  if (remaining !== 0) throw new Error('a stored file changed its size while it was sent');
}

/**
 * A stream of what `write` yields. Unlike `Readable.from`, destroying it does not wait for the next chunk: `signal` tells
 * the file at hand to close, even while it has nothing to read.
 */
export function toBodyStream(write: (signal: AbortSignal) => AsyncGenerator<Buffer>): Readable {
  const destroyed = new AbortController();
  const chunks = write(destroyed.signal);
  return new Readable({
    highWaterMark: 256 * 1024,
    read() {
      chunks.next().then(
        ({ done, value }) => this.push(done === true ? null : value),
        (error: unknown) => this.destroy(error instanceof Error ? error : new Error(String(error))),
      );
    },
    destroy(error, done) {
      // A reason of its own spares an error with its stack.
      destroyed.abort('destroyed');
      // How the writer ends matters no more: what is told is why the stream was destroyed.
      void whenSettled(chunks.return(undefined), () => done(error));
    },
  });
}

async function whenSettled(work: Promise<unknown>, then: () => void): Promise<void> {
  await Promise.allSettled([work]);
  then();
}
