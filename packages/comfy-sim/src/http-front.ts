import {
  createServer,
  STATUS_CODES,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Engine } from './engine.ts';
import { Faults, type Fault } from './faults.ts';
import { notFound, serverError, text, type Reply } from './http-reply.ts';
import { createRouter, type RouteMatch } from './http-routes.ts';
import { readBody, TooLarge } from './read-body.ts';
import { RequestLog } from './request-log.ts';
import type { Editor } from './routes/editor-routes.ts';
import { endReply, writeHuge, writeReply, writeTruncated } from './write-reply.ts';

/** The port: accepts, refuses or ignores connections, misbehaves on demand, and hands requests to the engine. */
export class HttpFront {
  readonly faults = new Faults();
  readonly log = new RequestLog();
  readonly #host: string;
  readonly #maxBytes: number;
  readonly #engine: () => Engine;
  readonly #route: (method: string, path: string) => RouteMatch;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port: number;
  #waiting: (() => void)[] | undefined;

  constructor(
    options: { host: string; port: number; maxBytes: number; jobsApi: boolean; editor: Editor | undefined },
    engine: () => Engine,
  ) {
    this.#host = options.host;
    this.#port = options.port;
    this.#maxBytes = options.maxBytes;
    this.#engine = engine;
    this.#route = createRouter(options);
  }

  get port(): number {
    return this.#port;
  }

  /** Opens the port; the first time it may be any, afterwards it is always the same. */
  async listen(): Promise<void> {
    if (this.#server) return;
    const server = createServer(
      { keepAliveTimeout: 75_000 },
      (request, response) => void this.#handle(request, response),
    );
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.on('upgrade', (request, stream, head) => void this.#upgrade(request, stream, head));
    server.on('clientError', (_, stream) => stream.destroy());
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, this.#host, () => {
        server.off('error', reject);
        resolve();
      });
    });
    const address = server.address();
    if (isAddress(address)) this.#port = address.port;
  }

  /** Closes the port and cuts every connection, at once; resolves when the system has taken note. */
  shut(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    const closed = new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
    for (const socket of this.#sockets) socket.resetAndDestroy();
    this.#waiting = this.#waiting && [];
    return closed;
  }

  /** While on, connections are accepted and nothing is answered; afterwards all that waited is. */
  hang(on: boolean): void {
    if (on) this.#waiting ??= [];
    else {
      const waiting = this.#waiting ?? [];
      this.#waiting = undefined;
      for (const go of waiting) go();
    }
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => response.destroy());
    request.on('error', () => response.destroy());
    try {
      if (this.#waiting) await this.#answerable();
      await this.#answer(request, response);
    } catch (error) {
      if (error instanceof TooLarge) writeReply(request, response, text(error.message, 413));
      else writeReply(request, response, serverError());
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = request;
    const [path = '/', search = ''] = splitUrl(url);
    const match = this.#route(method, path);
    const entry = this.log.add(match.route, { method, path, query: search });
    const fault = this.faults.take(match.route);
    if (fault !== undefined && (await this.#replace(fault, request, response))) return;
    const body = method === 'POST' ? await readBody(request, this.#maxBytes) : Buffer.alloc(0);
    const reply = await this.#reply(match, { request, method, path, search, body, entry });
    if (fault === 'reset-after') request.socket.resetAndDestroy();
    else if (fault === 'truncate') writeTruncated(response, reply);
    else if (fault === 'garbage')
      endReply(response, 200, 'application/json; charset=utf-8', '{"prompt_id": <html>\u0000');
    else writeReply(request, response, reply);
  }

  async #reply(
    match: RouteMatch,
    given: {
      request: IncomingMessage;
      method: string;
      path: string;
      search: string;
      body: Buffer;
      entry: { body?: unknown };
    },
  ): Promise<Reply> {
    const { request, method, path, search, body, entry } = given;
    if (isForeignOrigin(request)) return { status: 403, headers: {}, body: '' };
    const { donor } = this.#engine().options;
    const refusal = donor?.refuse(match.route, this.#engine(), request.headers);
    if (refusal) return refusal;
    if (match.params.id !== undefined) donor?.named(match.params.id);
    if (!match.handler)
      return method === 'GET' || method === 'HEAD' ? notFound() : text('405: Method Not Allowed', 405);
    const json = (): unknown => {
      const value: unknown = JSON.parse(body.toString());
      entry.body = value;
      return value;
    };
    const context = {
      engine: this.#engine(),
      method,
      path,
      params: match.params,
      query: new URLSearchParams(search),
    };
    return match.handler({ ...context, headers: request.headers, body, json });
  }

  /** Does what the fault says instead of an answer; false when the request goes on. */
  async #replace(fault: Fault, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    if (fault === 'reset') {
      request.socket.resetAndDestroy();
      return true;
    }
    if (fault === 'hang') return true;
    if (typeof fault === 'number') {
      endReply(response, fault, 'text/plain; charset=utf-8', `${fault}: ${STATUS_CODES[fault] ?? ''}`);
      return true;
    }
    if (typeof fault !== 'object') return false;
    if ('delayMs' in fault) {
      await this.#sleep(fault.delayMs, request);
      return request.socket.destroyed;
    }
    if ('hugeBytes' in fault) await writeHuge(response, fault);
    else
      endReply(
        response,
        fault.status ?? 200,
        fault.contentType ?? 'application/json; charset=utf-8',
        fault.body,
      );
    return true;
  }

  async #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
    stream.on('error', () => stream.destroy());
    if (this.#waiting) await this.#answerable();
    const [path = '/', search = ''] = splitUrl(request.url ?? '/');
    const { route } = this.#route('GET', path);
    this.log.add(route, { method: 'GET', path, query: search });
    const fault = this.faults.take(route);
    if (fault === 'hang') return;
    if (fault === 'reset' || fault === 'reset-after') return void request.socket.resetAndDestroy();
    if (typeof fault === 'object' && 'delayMs' in fault) await this.#sleep(fault.delayMs, request);
    const isStranger = this.#engine().options.donor?.isStranger(request.headers) === true;
    if (route !== 'GET /ws' || typeof fault === 'number' || isStranger || isForeignOrigin(request)) {
      const status = typeof fault === 'number' ? fault : route === 'GET /ws' ? 403 : 404;
      stream.end(
        `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
      );
      return;
    }
    if (stream.destroyed) return;
    this.#engine().hub.accept(request, stream, head, new URLSearchParams(search).get('clientId') ?? '');
  }

  #answerable(): Promise<void> {
    return new Promise((resolve) => this.#waiting?.push(resolve));
  }

  /** Ends early when the connection does, so that a closed simulator leaves no timer. */
  #sleep(ms: number, { socket }: IncomingMessage): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, ms);
      socket.once('close', done);
      function done(): void {
        clearTimeout(timer);
        socket.off('close', done);
        resolve();
      }
    });
  }
}

function splitUrl(url: string): [string, string] {
  const at = url.indexOf('?');
  return at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at + 1)];
}

/** A loopback server refuses a browser page of another origin. Programs send no `Origin`. */
function isForeignOrigin({ headers: { origin, host } }: IncomingMessage): boolean {
  if (!origin || !host || !/^(127\.|localhost|\[::1\])/.test(host)) return false;
  return URL.canParse(origin) && new URL(origin).host !== host;
}

function isAddress(address: string | AddressInfo | null): address is AddressInfo {
  return typeof address === 'object' && address !== null;
}
