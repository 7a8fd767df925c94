import { WebSocket } from 'ws';

import type { JobRecord, SeenFrame } from './_job-record.ts';

/** One WebSocket of a client, which writes down what it hears. */
export interface JobSocket {
  /** Counts this client's sockets, from 1. */
  readonly count: number;
  readonly isOpen: boolean;
  /** False when it never opened. */
  readonly connected: Promise<boolean>;
  /** The next `closed` or `error` frame; undefined when none came in time, or the socket ended. */
  nextEnd(withinMs: number): Promise<SeenFrame | undefined>;
  breakOff(how: 'close' | 'reset'): void;
  terminate(): void;
}

const counts = new WeakMap<JobRecord, number>();

export function createJobSocket(
  url: string,
  record: JobRecord,
  headers: Readonly<Record<string, string>>,
): JobSocket {
  const life = record.life();
  const count = (counts.get(record) ?? 0) + 1;
  counts.set(record, count);
  const socket = new WebSocket(url, { perMessageDeflate: false, handshakeTimeout: 3_000, headers });
  const connected = Promise.withResolvers<boolean>();
  const ends: SeenFrame[] = [];
  let changed = Promise.withResolvers<void>();
  let isOpen = true;

  function note(): void {
    changed.resolve();
    changed = Promise.withResolvers();
  }

  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) return;
    const { status, detail, details, ...extras } = JSON.parse(data.toString('utf8')) as Record<
      string,
      unknown
    >;
    if (detail !== details) record.offences.push('a frame said different things in detail and details');
    const frame = {
      at: Date.now(),
      socket: count,
      life,
      status: String(status),
      detail: String(detail),
      extras,
    };
    if (frame.status !== 'listening') record.frames.push(frame);
    if (frame.status === 'connected') connected.resolve(true);
    if (frame.status === 'closed' || frame.status === 'error') ends.push(frame);
    note();
  });
  socket.on('error', () => {});
  socket.on('unexpected-response', (_request, response) => {
    response.resume();
    socket.terminate();
  });
  socket.on('close', () => {
    isOpen = false;
    connected.resolve(false);
    note();
  });

  return {
    count,
    get isOpen() {
      return isOpen || ends.length > 0;
    },
    connected: connected.promise,
    async nextEnd(withinMs) {
      const timer = setTimeout(note, withinMs);
      try {
        if (ends.length === 0 && isOpen) await changed.promise;
        return ends.shift();
      } finally {
        clearTimeout(timer);
      }
    },
    breakOff(how) {
      if (how === 'close') socket.close(1000);
      // There is no public way to the TCP socket under a WebSocket of this library.
      else if (!resetTcp(socket)) socket.terminate();
    },
    terminate: () => socket.terminate(),
  };
}

function resetTcp(socket: WebSocket): boolean {
  const tcp: unknown = Reflect.get(socket, '_socket');
  if (typeof tcp !== 'object' || tcp === null || !('resetAndDestroy' in tcp)) return false;
  if (typeof tcp.resetAndDestroy !== 'function') return false;
  tcp.resetAndDestroy();
  return true;
}
