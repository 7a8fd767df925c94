import type { ClientRequestArgs } from 'node:http';
import { Socket } from 'node:net';
import type { Logger } from 'pino';
import { WebSocket } from 'ws';
import { type BackendConnector, createBackendConnector } from './backend-connector.ts';
import { type ComfyEndpoint, toAddress, toSocketUrl } from './comfy-endpoint.ts';
import { ComfyError } from './comfy-error.ts';
import { MAX_HEADER_BYTES } from './comfy-http.ts';
import { createFrameBudget, type FrameBudget } from './frame-budget.ts';
import type { ComfyMessage } from './comfy-messages.ts';
import { parseComfyMessage } from './parse-comfy-message.ts';
import { toPlain } from './read-fields.ts';
import { toComfyError } from './to-comfy-error.ts';

export interface ComfySocketOptions {
  endpoint: ComfyEndpoint;
  /**
   * The session id. Use a fresh one for each socket: ComfyUI keeps one socket per id, and when the old one of a re-used id
   * ends, its clean-up silently removes the new one. Nothing is replayed, so what happened in between is read over HTTP.
   */
  clientId: string;
  /** What establishes the connection; default `createBackendConnector`. */
  connect?: BackendConnector;
  /** For the whole opening: connect, TLS, upgrade; ms. */
  deadlineMs: number;
  onMessage: (message: ComfyMessage) => void;
  /** Called exactly once for each opened socket, whoever ended it. */
  onClose: (end: { code: number; reason: string }) => void;
  log?: Pick<Logger, 'warn'>;
  /** Between pings; a socket that was silent for a whole interval after a ping is dead. ComfyUI sends none. Default 10 s. */
  pingIntervalMs?: number;
  /** The largest frame accepted, bytes; default 16 MB. */
  maxPayload?: number;
  /** How much is read at a time; default `createFrameBudget`. */
  budget?: FrameBudget;
}

export interface ComfySocket {
  readonly clientId: string;
  readonly isOpen: boolean;
  /** Ends it at once, without a closing handshake: a closing handshake would keep the session id taken. */
  terminate(): void;
  [Symbol.dispose](): void;
}

/** Opens the event stream of one ComfyUI. Resolves when open; rejects with `ComfyError`. Never opens again by itself. */
export function openComfySocket(options: ComfySocketOptions): Promise<ComfySocket> {
  const { promise, resolve, reject } = Promise.withResolvers<ComfySocket>();
  const socket = new WebSocket(toSocketUrl(options.endpoint, options.clientId), {
    headers: toAddress(options.endpoint).headers,
    perMessageDeflate: false,
    maxPayload: options.maxPayload ?? 16 * 1024 * 1024,
    // A broken character in some node's text is no reason to lose the stream.
    skipUTF8Validation: true,
    followRedirects: false,
    maxHeaderSize: MAX_HEADER_BYTES,
    createConnection: toCreateConnection(options),
  });
  const deadline = setTimeout(() => {
    fail(new ComfyError('timeout', `the WebSocket did not open within ${options.deadlineMs} ms`));
  }, options.deadlineMs);

  function fail(error: ComfyError): void {
    clearTimeout(deadline);
    reject(error);
    socket.terminate();
  }

  socket.once('unexpected-response', (_request, response) => {
    response.resume();
    const status = response.statusCode ?? 0;
    fail(new ComfyError('status', `the WebSocket was answered ${status}`, { status }));
  });
  // Stays for the socket's life; once it is open it settles nothing.
  socket.on('error', (cause) => fail(toComfyError(cause, 'WebSocket')));
  const onEarlyClose = () => fail(new ComfyError('unreachable', 'the WebSocket closed before it opened'));
  socket.once('close', onEarlyClose);
  socket.once('open', () => {
    clearTimeout(deadline);
    socket.off('close', onEarlyClose);
    resolve(new OpenSocket(socket, options));
  });
  return promise;
}

type CreateConnection = NonNullable<ClientRequestArgs['createConnection']>;

/** The same checks as for HTTP, at every opening. */
function toCreateConnection({ endpoint, deadlineMs, connect }: ComfySocketOptions): CreateConnection {
  const open = connect ?? createBackendConnector(endpoint, { timeoutMs: deadlineMs });
  const { protocol, hostname, port, host } = new URL(endpoint.url);
  return (_options, done) => {
    const plain = hostname.replace(/^\[(.*)\]$/, '$1');
    open({ protocol, hostname: plain, host, port }, (...[error, socket]) => {
      if (error === null) done(null, socket);
      else done(error, new Socket());
    });
    return undefined;
  };
}

class OpenSocket implements ComfySocket {
  readonly clientId: string;
  readonly #socket: WebSocket;
  readonly #options: ComfySocketOptions;
  readonly #pings: NodeJS.Timeout;
  readonly #budget: FrameBudget;
  #rest: NodeJS.Timeout | undefined;
  #alive = true;
  #terminated = false;
  #reason = '';

  constructor(socket: WebSocket, options: ComfySocketOptions) {
    this.clientId = options.clientId;
    this.#socket = socket;
    this.#options = options;
    this.#budget = options.budget ?? createFrameBudget();
    // Flags count only in a session's first text message. Previews then say which prompt they belong to.
    socket.send(JSON.stringify({ type: 'feature_flags', data: { supports_preview_metadata: true } }));
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (this.#mayTake(data.length)) this.#receive(isBinary ? data : data.toString('utf8'));
    });
    socket.on('pong', (data) => {
      this.#mayTake(data.length);
      this.#alive = true;
    });
    socket.on('ping', (data) => this.#mayTake(data.length));
    socket.on('error', (error) => (this.#reason ||= error.message));
    socket.once('close', (code, reason) => this.#closed(code, reason.toString()));
    this.#pings = setInterval(() => this.#ping(), options.pingIntervalMs ?? 10_000).unref();
  }

  get isOpen(): boolean {
    return !this.#terminated && this.#socket.readyState === WebSocket.OPEN;
  }

  terminate(): void {
    this.#reason ||= 'terminated';
    this.#terminated = true;
    this.#socket.terminate();
  }

  [Symbol.dispose](): void {
    this.terminate();
  }

  /** Also stops the reading for a while when too much has come. */
  #mayTake(bytes: number): boolean {
    const now = performance.now();
    const verdict = this.#budget.add(bytes, now);
    if (verdict !== 'take' && this.#rest === undefined) {
      this.#socket.pause();
      this.#rest = setTimeout(() => {
        this.#rest = undefined;
        this.#socket.resume();
      }, this.#budget.restMs(now));
    }
    return verdict !== 'drop';
  }

  #receive(frame: string | Buffer): void {
    this.#alive = true;
    if (this.#terminated) return;
    this.#guard(() => this.#options.onMessage(parseComfyMessage(frame)));
  }

  #ping(): void {
    if (!this.#alive) {
      this.#reason ||= 'no answer to a ping';
      this.#socket.terminate();
      return;
    }
    this.#alive = false;
    this.#socket.ping();
  }

  #closed(code: number, reason: string): void {
    clearInterval(this.#pings);
    clearTimeout(this.#rest);
    this.#guard(() => this.#options.onClose({ code, reason: toPlain(reason) || this.#reason }));
  }

  /** A listener's mistake must not break the stream for everybody else. */
  #guard(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.#options.log?.warn({ err: error }, 'comfy socket: a listener failed');
    }
  }
}
