import type { IncomingMessage } from 'node:http';

/** A body that brings less than this between two looks is stalled or trickling; twice in a row ends it. */
const leastBytes = 1024;
const lookMs = 5_000;

/**
 * Cuts a request whose body does not come: a few hundred of them would hold as many connections for ever. A slow line that
 * brings a kilobyte in five seconds is let be. Ends by itself with the request.
 */
export function guardBody(request: IncomingMessage): void {
  const { socket, headers } = request;
  // Whatever the method: what no route reads is read to its end all the same.
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) return;
  let seen = socket.bytesRead;
  let slow = 0;
  const timer = setInterval(() => {
    if (request.complete || request.destroyed) return clearInterval(timer);
    slow = socket.bytesRead - seen < leastBytes ? slow + 1 : 0;
    seen = socket.bytesRead;
    if (slow >= 2) request.destroy();
  }, lookMs).unref();
  request.once('close', () => clearInterval(timer));
}
