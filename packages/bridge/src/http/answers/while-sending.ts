import type { IncomingMessage } from 'node:http';

/** Runs what reads the body of a request; the signal is aborted when its client goes away before all of it came. */
export async function whileSending<T>(
  request: IncomingMessage,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const gone = new AbortController();
  const onClose = () => {
    if (!request.complete) gone.abort();
  };
  request.once('close', onClose);
  try {
    return await run(gone.signal);
  } finally {
    request.off('close', onClose);
  }
}
