import type { Socket } from 'node:net';

/** What a socket's system buffer may still hold after we have handed everything over. */
const settleMs = 250;
const msPerMegabyte = 250;
const maxMs = 5_000;

/** A client that fetches one result after the other keeps several answers waiting on one connection. */
const waiting = new WeakMap<Socket, Set<(received: boolean) => void>>();

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
  const others = waiting.get(socket) ?? watch(socket);
  others.add(resolve);
  return promise.finally(() => {
    clearTimeout(timer);
    others.delete(resolve);
  });
}

/** One pair of listeners for all answers of a connection. */
function watch(socket: Socket): Set<(received: boolean) => void> {
  const answers = new Set<(received: boolean) => void>();
  waiting.set(socket, answers);
  const tell = (received: boolean) => answers.forEach((resolve) => resolve(received));
  socket.once('close', (hadError: boolean) => tell(!hadError));
  socket.once('error', () => tell(false));
  return answers;
}
