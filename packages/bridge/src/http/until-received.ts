import type { Socket } from 'node:net';

/** What a socket's system buffer may still hold after we have handed everything over. */
const settleMs = 250;
const msPerMegabyte = 250;
const maxMs = 5_000;

/**
 * After a whole answer was handed to the system: true unless the connection turns out to be broken before the other side can
 * have read it all. There is no way to ask how much has arrived; what tells is a reset, against the other side's
 * goodbye or a quiet while, longer for more.
 */
export function untilReceived(socket: Socket, size: number): Promise<boolean> {
  if (socket.destroyed) return Promise.resolve(socket.errored === null);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const ms = Math.min(maxMs, settleMs + (size / 1_048_576) * msPerMegabyte);
  const timer = setTimeout(() => resolve(true), ms);
  const onClose = (hadError: boolean) => resolve(!hadError);
  const onError = () => resolve(false);
  socket.once('close', onClose);
  socket.once('error', onError);
  return promise.finally(() => {
    clearTimeout(timer);
    socket.off('close', onClose);
    socket.off('error', onError);
  });
}
