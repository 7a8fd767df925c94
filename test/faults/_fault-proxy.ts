import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { findFreePort } from './_free-port.ts';

/** `up` is what the connecting side sends, `down` what it gets. */
export type Direction = 'up' | 'down';

export interface Weather {
  /** Each chunk comes this much later. */
  delayMs: number;
  /** In both directions together; 0 is no limit. */
  bytesPerSecond: number;
  /** What is sent this way waits, as on a cut cable, until the weather is better; nobody is told. */
  holds: readonly Direction[];
  /** New connections are refused. */
  refuses: boolean;
}

/** A TCP connection that can be made as bad as any network, between two processes on one machine. */
export interface FaultProxy extends AsyncDisposable {
  /** `127.0.0.1:12345` */
  readonly address: string;
  readonly port: number;
  /** What is not named is fine. */
  set(weather?: Partial<Weather>): Promise<void>;
  /** Resets every connection; how many there were. */
  cut(): number;
  connections(): number;
}

const fine: Weather = { delayMs: 0, bytesPerSecond: 0, holds: [], refuses: false };

export async function startFaultProxy(target: { host: string; port: number }): Promise<FaultProxy> {
  const pairs = new Set<() => void>();
  let weather = fine;
  let changed = Promise.withResolvers<void>();
  const server = createServer({ allowHalfOpen: true }, join);
  let { port } = await listen(server, await findFreePort());

  function join(near: Socket): void {
    const far = connect({ ...target, allowHalfOpen: true });
    const over = new AbortController();
    const reset = () => {
      if (over.signal.aborted) return;
      over.abort();
      pairs.delete(reset);
      resetSocket(near);
      resetSocket(far);
    };
    pairs.add(reset);
    near.on('error', reset).setNoDelay(true);
    far.on('error', reset).setNoDelay(true);
    far.once('connect', () => {
      const both = Promise.all([pump(near, far, 'up', over.signal), pump(far, near, 'down', over.signal)]);
      void both.then(
        () => {
          pairs.delete(reset);
          near.destroy();
          far.destroy();
        },
        () => reset(),
      );
    });
  }

  async function pump(from: Socket, to: Socket, way: Direction, signal: AbortSignal): Promise<void> {
    for await (const chunk of from.iterator({ destroyOnReturn: false })) {
      const bytes: Buffer = chunk;
      if (weather.delayMs > 0) await delay(weather.delayMs, undefined, { signal });
      if (weather.bytesPerSecond > 0) {
        await delay((bytes.length / weather.bytesPerSecond) * 1000, undefined, { signal });
      }
      await untilOpen(way, signal);
      if (!to.write(bytes)) await once(to, 'drain', { signal });
    }
    await untilOpen(way, signal);
    to.end();
  }

  async function untilOpen(way: Direction, signal: AbortSignal): Promise<void> {
    const ended = Promise.withResolvers<never>();
    ended.promise.catch(() => {});
    const onAbort = () => ended.reject(new Error('cut'));
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      while (weather.holds.includes(way)) await Promise.race([changed.promise, ended.promise]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async function set(next: Partial<Weather> = {}): Promise<void> {
    weather = { ...fine, ...next };
    const before = changed;
    changed = Promise.withResolvers();
    before.resolve();
    if (weather.refuses && server.listening) server.close();
    else if (!weather.refuses && !server.listening) ({ port } = await listen(server, port));
  }

  function cut(): number {
    const count = pairs.size;
    for (const reset of [...pairs]) reset();
    return count;
  }

  return {
    get address() {
      return `127.0.0.1:${port}`;
    },
    get port() {
      return port;
    },
    set,
    cut,
    connections: () => pairs.size,
    async [Symbol.asyncDispose]() {
      await set();
      const closed = once(server, 'close');
      server.close();
      cut();
      await closed;
    },
  };
}

/** One that never connected has nothing to reset; one that is shutting down cannot be, and would stay open for ever. */
function resetSocket(socket: Socket): void {
  if (socket.connecting || socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

async function listen(server: Server, port: number): Promise<AddressInfo> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return address;
}
