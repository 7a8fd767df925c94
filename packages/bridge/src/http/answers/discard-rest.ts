import type { IncomingMessage, ServerResponse } from 'node:http';

/** Read and thrown away after a refusal, at the most. */
const maxBytes = 64 * 1024 * 1024;
const maxMs = 10_000;

/**
 * Lets the rest of a refused body run out. Closing while a client (or a proxy) still sends makes its system throw the answer
 * away unread; so it is answered at once and read on for a while, and cut off only when there is too much of it. Call it
 * before answering.
 */
export function discardRest(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete || request.destroyed) return;
  const { socket } = request;
  // Asked to close, as proxies do, Node would do so right behind the answer.
  const closes = !response.shouldKeepAlive;
  response.shouldKeepAlive = true;
  let bytes = 0;
  const timer = setTimeout(() => socket.destroy(), maxMs).unref();
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) socket.destroy();
  });
  request.on('error', () => {});
  request.once('close', () => clearTimeout(timer));
  request.once('end', () => {
    clearTimeout(timer);
    if (!closes) return;
    if (response.writableFinished) socket.end();
    else response.once('finish', () => socket.end());
  });
  request.resume();
}
