import { finished, PassThrough, type Readable } from 'node:stream';
import { type Dispatcher, Pool } from 'undici';
import { type BackendConnector, createBackendConnector } from './backend-connector.ts';
import { type ComfyEndpoint, toAddress } from './comfy-endpoint.ts';
import { ComfyError } from './comfy-error.ts';
import { startDeadline } from './deadline.ts';
import { parsePythonJson } from './python-json.ts';
import { toComfyError } from './to-comfy-error.ts';

export const MEGABYTE = 1024 * 1024;
/** Of all headers of an answer together. */
export const MAX_HEADER_BYTES = 16 * 1024;
/** Of a file, on average over each idle time-out; any line that is fit for lending brings a hundred times that. */
const MIN_BYTES_PER_SECOND = 512;

export interface ComfyHttpOptions {
  /** To establish a connection, ms; default 2000. */
  connectTimeoutMs?: number;
  /** What establishes it; default `createBackendConnector`. */
  connect?: BackendConnector;
  /** For a whole call where the call does not say, ms; default 10 000. */
  deadlineMs?: number;
  /** The longest silence while a file streams, either way, ms; a file that trickles in is cut off too. Default 30 000. */
  idleTimeoutMs?: number;
  /** Connections at a time; default 16. */
  connections?: number;
}

/** What every call accepts. */
export interface CallOptions {
  signal?: AbortSignal;
  /** For the whole call; for a streamed answer, until its head. ms. */
  deadlineMs?: number;
}

export interface HttpCall extends CallOptions {
  method: 'GET' | 'POST';
  /** Below the endpoint's base, with a leading slash and no trailing one. */
  path: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: string | Readable;
  /** The largest answer read, bytes; default 1 MB. */
  maxBytes?: number;
}

export interface HttpAnswer {
  status: number;
  contentType: string;
  body: Buffer;
}

/** A large answer, in pieces that can be handed to another thread. */
export interface BlockAnswer {
  status: number;
  /** In order; each has its memory for itself. */
  blocks: Uint8Array<ArrayBuffer>[];
  /** bytes */
  size: number;
}

export interface StreamedAnswer {
  status: number;
  contentType: string;
  contentLength?: number;
  /** Errors with `ComfyError`. Destroying it ends the call. */
  body: Readable;
}

/** HTTP to one ComfyUI: deadlines, caps, no redirects, no cookies, and every failure a `ComfyError`. */
export interface ComfyHttp {
  readonly idleTimeoutMs: number;
  /** Reads the whole answer, whatever its status. */
  send(call: HttpCall): Promise<HttpAnswer>;
  /** As `send`, without ever having the whole in one piece: joining tens of megabytes would hold up everything else. */
  sendForBlocks(call: HttpCall): Promise<BlockAnswer>;
  /** Resolves at the head of the answer; the body streams with back-pressure. */
  open(call: HttpCall): Promise<StreamedAnswer>;
  /** Ends what is under way. */
  close(): Promise<void>;
}

export function createComfyHttp(endpoint: ComfyEndpoint, options: ComfyHttpOptions = {}): ComfyHttp {
  const address = toAddress(endpoint);
  const idleTimeoutMs = options.idleTimeoutMs ?? 30_000;
  const defaultDeadlineMs = options.deadlineMs ?? 10_000;
  const pool = new Pool(address.origin, {
    connections: options.connections ?? 16,
    connect: options.connect ?? createBackendConnector(endpoint, { timeoutMs: options.connectTimeoutMs }),
    headersTimeout: 0, // Each call has its own deadline.
    maxHeaderSize: MAX_HEADER_BYTES,
    bodyTimeout: idleTimeoutMs,
    allowH2: false,
  });

  async function request(call: HttpCall, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    return pool.request({
      method: call.method,
      path: address.base + call.path + toQuery(call.query),
      headers: { accept: '*/*', 'accept-encoding': 'identity', ...address.headers, ...call.headers },
      body: call.body ?? null,
      signal,
    });
  }

  /** Resolves with the head of the answer once `take` has had its whole body. */
  async function receive(call: HttpCall, take: (chunk: Buffer) => void): Promise<Dispatcher.ResponseData> {
    const label = `${call.method} ${call.path}`;
    using deadline = startDeadline(label, call.deadlineMs ?? defaultDeadlineMs, call.signal);
    try {
      const answer = await request(call, deadline.signal);
      refuseEncoded(answer, label);
      await readCapped(answer, label, call.maxBytes ?? MEGABYTE, take);
      return answer;
    } catch (error) {
      throw toComfyError(error, label);
    }
  }

  async function send(call: HttpCall): Promise<HttpAnswer> {
    const chunks: Buffer[] = [];
    const answer = await receive(call, (chunk) => void chunks.push(chunk));
    return { status: answer.statusCode, contentType: contentTypeOf(answer), body: Buffer.concat(chunks) };
  }

  async function sendForBlocks(call: HttpCall): Promise<BlockAnswer> {
    const { add, finish } = collectBlocks();
    const { statusCode } = await receive(call, add);
    return { status: statusCode, ...finish() };
  }

  async function open(call: HttpCall): Promise<StreamedAnswer> {
    const label = `${call.method} ${call.path}`;
    const deadline = startDeadline(label, call.deadlineMs ?? defaultDeadlineMs, call.signal);
    try {
      const answer = await request(call, deadline.signal);
      refuseEncoded(answer, label);
      deadline.clearTimer();
      const contentLength = lengthOf(answer);
      return {
        status: answer.statusCode,
        contentType: contentTypeOf(answer),
        ...(contentLength === undefined ? {} : { contentLength }),
        body: toBody(answer.body, { label, idleTimeoutMs }, () => deadline[Symbol.dispose]()),
      };
    } catch (error) {
      deadline[Symbol.dispose]();
      throw toComfyError(error, label);
    }
  }

  return {
    idleTimeoutMs,
    send,
    sendForBlocks,
    open,
    close: () => pool.destroy(new ComfyError('aborted', 'the client was closed')),
  };
}

/** The answer's JSON; `malformed` when it is none. */
export function parseJsonAnswer(answer: HttpAnswer, label: string): unknown {
  try {
    return parsePythonJson(answer.body.toString('utf8'));
  } catch (cause) {
    throw new ComfyError('malformed', `${label}: the answer is not JSON`, { status: answer.status, cause });
  }
}

/** A status that the call cannot use. The body is not quoted: it may hold anything. */
export function unusableStatus(status: number, label: string): ComfyError {
  return new ComfyError('status', `${label}: answered ${status}`, { status });
}

/** Nothing is ever decoded: a small answer could become a huge one. Nobody asked for it either. */
function refuseEncoded({ headers, body, statusCode }: Dispatcher.ResponseData, label: string): void {
  const encoding = headers['content-encoding'];
  if (encoding === undefined || encoding === 'identity') return;
  body.on('error', () => {}).destroy();
  throw new ComfyError('malformed', `${label}: the answer is compressed`, { status: statusCode });
}

async function readCapped(
  answer: Dispatcher.ResponseData,
  label: string,
  maxBytes: number,
  take: (chunk: Buffer) => void,
): Promise<void> {
  const tooLarge = () =>
    new ComfyError('too-large', `${label}: answered more than ${maxBytes} bytes`, {
      status: answer.statusCode,
    });
  if ((lengthOf(answer) ?? 0) > maxBytes) {
    answer.body.on('error', () => {}).destroy();
    throw tooLarge();
  }
  let size = 0;
  // Leaving the loop by a throw destroys the body, and with it the connection.
  for await (const chunk of answer.body) {
    const bytes: Buffer = chunk;
    size += bytes.length;
    if (size > maxBytes) throw tooLarge();
    take(bytes);
  }
}

/** Copies as it comes: what the network hands over may share its memory with other answers. */
function collectBlocks(): { add(chunk: Buffer): void; finish(): Omit<BlockAnswer, 'status'> } {
  const blocks: Uint8Array<ArrayBuffer>[] = [];
  let [size, block, used] = [0, new Uint8Array(64 * 1024), 0];
  return {
    add(chunk) {
      size += chunk.length;
      for (let from = 0; from < chunk.length;) {
        const part = chunk.subarray(from, from + block.length - used);
        block.set(part, used);
        used += part.length;
        from += part.length;
        if (used < block.length) continue;
        blocks.push(block);
        [block, used] = [new Uint8Array(MEGABYTE), 0];
      }
    },
    finish() {
      if (used > 0) blocks.push(block.slice(0, used));
      return { blocks, size };
    },
  };
}

/**
 * Hands the body on with our own errors, and never leaves an error without a listener. Not by `pipeline`: that destroys the
 * target with the source's error, which a reader who looks late finds in `errored`.
 */
function toBody(
  source: Readable,
  { label, idleTimeoutMs }: { label: string; idleTimeoutMs: number },
  onEnd: () => void,
): Readable {
  const body = new PassThrough();
  body.on('error', () => {});
  const watch = watchPace(source, idleTimeoutMs, () => {
    // A reader of ours that lets it wait is not its fault.
    if (body.writableNeedDrain || body.readableLength > 0) return;
    body.destroy(new ComfyError('timeout', `${label}: the file comes too slowly`));
  });
  body.once('close', () => {
    clearInterval(watch);
    source.destroy();
    onEnd();
  });
  finished(source, { writable: false }, (error) => {
    if (error !== undefined && error !== null) body.destroy(toComfyError(error, label));
  });
  source.pipe(body);
  return body;
}

/** A machine that sends a byte now and then would keep a job for ever, and never be silent. */
function watchPace(source: Readable, everyMs: number, onSlow: () => void): NodeJS.Timeout {
  let received = 0;
  source.on('data', (chunk: Buffer) => (received += chunk.length));
  return setInterval(() => {
    if (received < (MIN_BYTES_PER_SECOND * everyMs) / 1000) onSlow();
    received = 0;
  }, everyMs).unref();
}

function toQuery(query: Record<string, string> | undefined): string {
  return query === undefined ? '' : `?${new URLSearchParams(query).toString()}`;
}

function contentTypeOf(answer: Dispatcher.ResponseData): string {
  const value = answer.headers['content-type'];
  return typeof value === 'string' ? value : '';
}

function lengthOf(answer: Dispatcher.ResponseData): number | undefined {
  const value = answer.headers['content-length'];
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : undefined;
}
