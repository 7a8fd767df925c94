import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * A server that cuts slow headers, and refuses those that are larger than all of them may be. Bodies may take long (uploads); that
 * they keep coming is seen to where they are read. Connections that `admit` does not let in are its own to end.
 */
export function createHttpServer(admit: (socket: Socket) => boolean = () => true): Server {
  /** Answers that are not sent yet. */
  const open = new WeakMap<Socket, number>();
  const server = createServer({
    shouldUpgradeCallback: (request) => isWebSocket(request) && (open.get(request.socket) ?? 0) === 0,
    maxHeaderSize: 16 * 1024,
    requestTimeout: 0,
    headersTimeout: 10_000,
    connectionsCheckingInterval: 2_000,
    keepAliveTimeout: 75_000,
  });
  // Node would leave out what is more, without a word: also what a proxy says of who is calling.
  server.maxHeadersCount = 0;
  stand(server, admit);
  server.on('request', ({ socket }, response) => {
    open.set(socket, (open.get(socket) ?? 0) + 1);
    response.once('close', () => open.set(socket, (open.get(socket) ?? 1) - 1));
  });
  return server;
}

/** Before Node's own listener: a parser for each connection that is refused would be most of what it costs. */
function stand(server: Server, admit: (socket: Socket) => boolean): void {
  const listeners = server.listeners('connection');
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    if (admit(socket)) for (const listener of listeners) Reflect.apply(listener, server, [socket]);
  });
}

/**
 * Any other offer, such as the h2c that some clients make with each request, is passed over and the request answered. So is
 * one behind a request that is not answered yet: its answer would come into the middle of the frames.
 */
function isWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

/** Starts listening and returns the origin, `http://host:port`. Rejects with the system's error (port taken, no rights). */
export async function listen(
  server: Server,
  { host, port }: { host: string; port: number },
): Promise<string> {
  server.listen({ host, port });
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  const name = host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${address.port}`;
}

/** Stops taking connections; idle ones end at once, busy ones get `graceMs`, then all are cut. */
export async function closeServer(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  // One that was busy is idle once it is answered, and would be kept alive.
  const idle = setInterval(() => server.closeIdleConnections(), 100);
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearInterval(idle);
  clearTimeout(timer);
}
