import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { isRecord } from './wire.ts';

interface Session {
  sid: string;
  socket: WebSocket;
  stream: Duplex;
}

export interface SocketHubHost {
  queueRemaining: () => number;
  /** The node that runs for this client now, told to a client that connects again. */
  runningNodeOf: (sid: string) => string | undefined;
  /** The flags to answer `feature_flags` with; undefined for a server too old to know them. */
  serverFlags: () => Record<string, unknown> | undefined;
  /** What a machine that is lent tells each new client; undefined for any other. */
  donorGreeting: () => Record<string, unknown> | undefined;
}

/** The WebSocket side of the server: who is connected under which id, and what goes to whom. */
export class SocketHub {
  readonly #host: SocketHubHost;
  readonly #server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: 4 * 1024 * 1024,
  });
  /** Who gets the events of a session id. Not the same as who is connected: see `#forget`. */
  readonly #bySid = new Map<string, Session>();
  readonly #flags = new Map<string, Record<string, unknown>>();
  readonly #open = new Set<Session>();
  readonly #corked = new Set<Duplex>();
  #held: (() => void)[] | undefined;

  constructor(host: SocketHubHost) {
    this.#host = host;
  }

  get size(): number {
    return this.#open.size;
  }

  isOpen(sid: string): boolean {
    for (const session of this.#open) if (session.sid === sid) return true;
    return false;
  }

  accept(request: IncomingMessage, stream: Duplex, head: Buffer, clientId: string): void {
    this.#server.handleUpgrade(request, stream, head, (socket) => {
      this.#connect({ sid: clientId || randomUUID().replaceAll('-', ''), socket, stream });
    });
  }

  /** Sends to one session, or to everyone when there is no id. */
  send(type: string, data: unknown, sid?: string): void {
    if (this.#bySid.size === 0 || (sid !== undefined && !this.#bySid.has(sid))) return;
    this.sendRaw(JSON.stringify({ type, data }), sid);
  }

  sendRaw(message: string | Uint8Array, sid?: string): void {
    if (this.#held) {
      this.#held.push(() => this.sendRaw(message, sid));
      return;
    }
    if (sid === undefined) for (const session of this.#bySid.values()) this.#write(session, message);
    else {
      const session = this.#bySid.get(sid);
      if (session) this.#write(session, message);
    }
  }

  supportsPreviewMetadata(sid: string | undefined): boolean {
    return sid !== undefined && this.#flags.get(sid)?.supports_preview_metadata === true;
  }

  /** Stops reading and holds back what would be sent, until told otherwise. */
  hold(on: boolean): void {
    if (on === (this.#held !== undefined)) return;
    for (const { socket } of this.#open) {
      if (on) socket.pause();
      else socket.resume();
    }
    const held = this.#held;
    this.#held = on ? [] : undefined;
    for (const send of held ?? []) send();
  }

  /** Cuts every connection without a goodbye. */
  drop(): void {
    for (const { stream, socket } of this.#open) {
      if (isTcp(stream)) stream.resetAndDestroy();
      socket.terminate();
    }
  }

  #connect(session: Session): void {
    const { sid, socket } = session;
    this.#open.add(session);
    this.#bySid.set(sid, session);
    this.#flags.set(sid, {});
    socket.on('error', () => socket.terminate());
    socket.on('close', () => this.#forget(session));
    let first = true;
    socket.on('message', (data, isBinary) => {
      if (isBinary) return;
      const message = parseJson(Buffer.isBuffer(data) ? data.toString() : '');
      if (message === undefined) return;
      if (first) this.#takeFlags(sid, message);
      first = false;
    });
    this.send(
      'status',
      { status: { exec_info: { queue_remaining: this.#host.queueRemaining() } }, sid },
      sid,
    );
    const lending = this.#host.donorGreeting();
    if (lending) this.send('comfy_bridge_status', lending, sid);
    const node = this.#host.runningNodeOf(sid);
    if (node !== undefined) this.send('executing', { node }, sid);
  }

  /**
   * The real server removes whatever is registered under the id, even a newer connection with the same id, which
   * then gets no events any more. Clients must live with it, so it is kept.
   */
  #forget(session: Session): void {
    this.#open.delete(session);
    this.#bySid.delete(session.sid);
    this.#flags.delete(session.sid);
  }

  #takeFlags(sid: string, message: unknown): void {
    const answer = this.#host.serverFlags();
    if (!answer || !isRecord(message) || message.type !== 'feature_flags') return;
    this.#flags.set(sid, isRecord(message.data) ? message.data : {});
    this.send('feature_flags', answer, sid);
  }

  #write({ socket, stream }: Session, message: string | Uint8Array): void {
    if (socket.readyState !== WebSocket.OPEN) return;
    // Frames of one turn leave in one write: a run of many small events costs one system call.
    if (!this.#corked.has(stream)) {
      if (this.#corked.size === 0) setImmediate(() => this.#uncork());
      this.#corked.add(stream);
      stream.cork();
    }
    socket.send(message);
  }

  #uncork(): void {
    for (const stream of this.#corked) stream.uncork();
    this.#corked.clear();
  }
}

function isTcp(stream: Duplex): stream is Socket {
  return 'resetAndDestroy' in stream && typeof stream.resetAndDestroy === 'function';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The real server logs a warning and goes on; such a message does not even count as the first one.
    return undefined;
  }
}
