import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** The harmless file that every scanner takes for a virus. Put together here, so that no scanner takes this file for one. */
export const eicar = ['X5O!P%@AP[4\\PZX54(P^)7CC)7}', '$EICAR-STANDARD-', 'ANTIVIRUS-TEST-FILE!$H+H*'].join(
  '',
);

export interface FakeClamd extends AsyncDisposable {
  readonly port: number;
  /** What was scanned, whole. */
  readonly scanned: Buffer[];
  /** The most connections at a time so far. */
  readonly mostAtOnce: number;
}

export interface FakeClamdOptions {
  /** Its `StreamMaxLength`. */
  maxBytes?: number;
  /** Instead of an answer. */
  behave?: (socket: Socket) => void;
}

/** Speaks clamd's protocol: `zINSTREAM\0`, chunks with their length, an answer that ends with a NUL. */
export async function startFakeClamd({
  maxBytes = 1_000_000,
  behave,
}: FakeClamdOptions = {}): Promise<FakeClamd> {
  const scanned: Buffer[] = [];
  const sockets = new Set<Socket>();
  let mostAtOnce = 0;

  async function serve(socket: Socket): Promise<void> {
    let received = Buffer.alloc(0);
    const chunks: Buffer[] = [];
    let at = 10;
    for await (const bytes of socket) {
      if (Buffer.isBuffer(bytes)) received = Buffer.concat([received, bytes]);
      if (received.length < 10) continue;
      if (received.toString('latin1', 0, 10) !== 'zINSTREAM\0') return void socket.end('UNKNOWN COMMAND\0');
      while (received.length >= at + 4) {
        const length = received.readUInt32BE(at);
        if (length === 0) {
          const whole = Buffer.concat(chunks);
          scanned.push(whole);
          return void socket.end(whole.includes(eicar) ? 'stream: Eicar-Signature FOUND\0' : 'stream: OK\0');
        }
        if (received.length < at + 4 + length) break;
        chunks.push(received.subarray(at + 4, at + 4 + length));
        at += 4 + length;
        if (chunks.reduce((sum, chunk) => sum + chunk.length, 0) > maxBytes)
          return void socket.end('INSTREAM size limit exceeded. ERROR\0');
      }
    }
  }

  const server = createServer((socket) => {
    sockets.add(socket);
    mostAtOnce = Math.max(mostAtOnce, sockets.size);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    if (behave === undefined) serve(socket).catch(() => socket.destroy());
    else behave(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    scanned,
    get mostAtOnce() {
      return mostAtOnce;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
