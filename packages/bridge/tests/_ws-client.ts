import type { CompatFrame } from '@comfy-bridge/protocol';
import { WebSocket } from 'ws';
import type { ClientOptions } from 'ws';

export interface TestSocket extends Disposable {
  readonly socket: WebSocket;
  /** Every text frame so far. */
  readonly frames: CompatFrame[];
  /** Every binary frame so far. */
  readonly binary: Buffer[];
  /** The next text frame, read in order; `listening` heartbeats are left out unless asked for. */
  next(status?: CompatFrame['status']): Promise<CompatFrame>;
  nextBinary(): Promise<Buffer>;
  readonly closed: Promise<{ code: number; reason: string }>;
  close(): void;
}

/** A client's socket whose frames are awaited one by one; waiting ends with an error after ten seconds. */
export async function openSocket(url: string, options: ClientOptions = {}): Promise<TestSocket> {
  const socket = new WebSocket(url, options);
  const frames: CompatFrame[] = [];
  const binary: Buffer[] = [];
  const listeners = new Set<() => void>();
  let read = 0;
  let readBinary = 0;
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once('close', (code, reason) => {
      resolve({ code, reason: reason.toString() });
      listeners.forEach((listener) => listener());
    });
  });
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) binary.push(data);
    else frames.push(JSON.parse(data.toString('utf8')));
    listeners.forEach((listener) => listener());
  });

  /** Resolves with the first defined answer of `look`, asked again at every frame. */
  async function until<T>(what: string, look: () => T | undefined): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const check = () => {
      const found = look();
      if (found !== undefined) {
        // At once: another frame of the same moment belongs to who asks next.
        listeners.delete(check);
        resolve(found);
      } else if (socket.readyState === socket.CLOSED)
        reject(new Error(`socket closed while waiting for ${what}`));
    };
    listeners.add(check);
    const timer = setTimeout(() => reject(new Error(`waited 10 s for ${what}`)), 10_000);
    check();
    return promise.finally(() => {
      listeners.delete(check);
      clearTimeout(timer);
    });
  }

  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
    socket.once('unexpected-response', (_request, response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        reject(new Error(`${response.statusCode} ${Buffer.concat(chunks).toString()}`)),
      );
    });
  });
  socket.on('error', () => {});

  return {
    socket,
    frames,
    binary,
    closed,
    next: (status) =>
      until(status ?? 'a frame', () => {
        for (; read < frames.length; read += 1) {
          const frame = frames[read];
          const wanted = status === undefined ? frame?.status !== 'listening' : frame?.status === status;
          if (frame !== undefined && wanted) {
            read += 1;
            return frame;
          }
        }
        return undefined;
      }),
    nextBinary: () =>
      until('a binary frame', () => (readBinary < binary.length ? binary[readBinary++] : undefined)),
    close: () => socket.close(),
    [Symbol.dispose]: () => socket.terminate(),
  };
}
