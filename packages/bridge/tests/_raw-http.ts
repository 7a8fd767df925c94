import { connect } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';

export interface RawReply {
  status: number;
  /** Names in lower case. */
  headers: ReadonlyMap<string, string>;
  body: string;
}

export interface Exchange {
  replies: RawReply[];
  /** What came that is no answer. */
  rest: string;
}

const lastChunk = '0\r\n\r\n';
const deadline = 20_000;
const nameAndValue = /^([\w-]+):[ \t]*(.*)$/;

/** What a server sent, one answer after the other. Those to HEAD have no body, whatever length they announce. */
export function readReplies(text: string): Exchange {
  const replies: RawReply[] = [];
  let rest = text;
  for (;;) {
    const headEnd = rest.indexOf('\r\n\r\n');
    const status = /^HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n/.exec(rest)?.[1];
    if (headEnd < 0 || status === undefined) return { replies, rest };
    const lines = rest.slice(0, headEnd).split('\r\n').slice(1);
    const headers = new Map<string, string>();
    for (const line of lines) {
      const [, name, value] = nameAndValue.exec(line) ?? [];
      if (name === undefined || value === undefined) return { replies, rest };
      headers.set(name.toLowerCase(), value);
    }
    rest = rest.slice(headEnd + 4);
    const announced = Number(headers.get('content-length') ?? 0);
    const isEmpty = headers.get('transfer-encoding') === 'chunked' && rest.startsWith(lastChunk);
    if (isEmpty) rest = rest.slice(lastChunk.length);
    const length = rest.startsWith('HTTP/1.1 ') ? 0 : Math.min(announced, rest.length);
    replies.push({ status: Number(status), headers, body: rest.slice(0, length) });
    rest = rest.slice(length);
  }
}

/**
 * Sends bytes in pieces on a connection of their own, ends its side, and reads to the end. Rejects when the server keeps the
 * connection for longer than any of its short limits.
 */
export async function exchange(url: string, pieces: readonly Buffer[]): Promise<Exchange> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  const chunks: Buffer[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new Error('the connection was not closed')), deadline);
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  // A reset: what came until then counts.
  socket.on('error', () => socket.destroy());
  socket.once('close', () => resolve());
  try {
    for (const [index, piece] of pieces.entries()) {
      if (index > 0) await turn();
      if (!socket.destroyed) socket.write(piece);
    }
    socket.end();
    await promise;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
  return readReplies(Buffer.concat(chunks).toString('latin1'));
}
