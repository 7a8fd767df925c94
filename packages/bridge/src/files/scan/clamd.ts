import { createReadStream } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import type { FileContent } from '../file-content.ts';

/** Where a clamd listens. */
export type ClamdAddress = { host: string; port: number } | { path: string };

export type ClamdAnswer =
  | { kind: 'clean' }
  /** `signature`: what it is called in clamd's database. */
  | { kind: 'infected'; signature: string }
  /** Longer than clamd takes (its `StreamMaxLength`). */
  | { kind: 'too-long' };

/** Bytes that clamd is given at a time. */
const chunkBytes = 128 * 1024;
/** Of an answer; a name and a word. */
const maxAnswer = 4096;

/**
 * Asks clamd about one file, over a connection of its own: `zINSTREAM\0`, then chunks of `length(4, big endian) bytes`, a length of 0,
 * and its answer up to a NUL. Rejects when clamd is not there, breaks off or says something else.
 */
export async function askClamd(
  address: ClamdAddress,
  content: FileContent,
  signal: AbortSignal,
): Promise<ClamdAnswer> {
  signal.throwIfAborted();
  const socket = connect({ ...address });
  const answer = readAnswer(socket, signal);
  // What it says counts for more than that it stops listening, which it does after an answer before the end.
  const sent = pipeline(Readable.from(frame(content)), socket, { signal, end: false });
  sent.catch(() => {});
  try {
    return parseAnswer(await answer);
  } finally {
    socket.destroy();
    await sent.catch(() => {});
  }
}

async function* frame(content: FileContent): AsyncGenerator<Buffer> {
  yield Buffer.from('zINSTREAM\0');
  for await (const chunk of typeof content === 'string' ? readChunks(content) : cutChunks(content)) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(chunk.length);
    yield length;
    yield chunk;
  }
  yield Buffer.alloc(4);
}

async function* readChunks(path: string): AsyncGenerator<Buffer> {
  for await (const chunk of createReadStream(path, { highWaterMark: chunkBytes }))
    if (Buffer.isBuffer(chunk) && chunk.length > 0) yield chunk;
}

function* cutChunks(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

function readAnswer(socket: Socket, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const settle = (): void => {
      const end = text.search(/[\0\n]/);
      if (end >= 0) resolve(text.slice(0, end));
      else reject(new Error('the virus scanner broke off without an answer'));
    };
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (/[\0\n]/.test(chunk) || text.length > maxAnswer) settle();
    });
    socket.on('error', (error) => (text === '' ? reject(error) : settle()));
    socket.on('close', settle);
    signal.addEventListener('abort', () => reject(new Error('the virus scanner took too long')), {
      once: true,
    });
  });
}

function parseAnswer(answer: string): ClamdAnswer {
  if (answer === 'stream: OK') return { kind: 'clean' };
  const [, signature] = /^stream: (.+) FOUND$/.exec(answer) ?? [];
  if (signature !== undefined) return { kind: 'infected', signature: signature.slice(0, 200) };
  if (answer.startsWith('INSTREAM size limit exceeded')) return { kind: 'too-long' };
  throw new Error(`the virus scanner answered "${answer.slice(0, 200)}"`);
}
