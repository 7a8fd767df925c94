import type { CompatFrame } from '@comfy-bridge/protocol';
import type { WebSocket } from 'ws';

import type { SocketQuery } from './socket-query.ts';

export interface SessionOptions extends SocketQuery {
  clientId: string;
  /** False once its key is over. */
  isGood(): boolean;
  now: () => number;
}

/** Progress frames per second and client, at the most. */
const minGapMs = 100;
/** Unsent bytes beyond which progress and previews are dropped: the next snapshot says it all. */
const dropAboveBytes = 256 * 1024;
/** Unsent bytes beyond which a client that does not read is let go. */
const closeAboveBytes = 4 * 1024 * 1024;
/** The documented clients send nothing; this many messages, pings and pongs between two heartbeats are a flood. */
const maxMessagesPerBeat = 100;

/** One client's socket. Many may share a clientId; each hears everything about the job under it. */
export class Session {
  readonly clientId: string;
  readonly previews: boolean;
  readonly extended: boolean;
  readonly after: number | undefined;
  readonly graceMs: number | undefined;
  readonly openedAt: number;
  readonly isGood: () => boolean;
  readonly #socket: WebSocket;
  readonly #now: () => number;
  /** When we closed it, ms since the epoch; its end may come much later. */
  closedAt: number | undefined;
  #alive = true;
  #messages = 0;
  #lastProgressAt = 0;
  #pending: CompatFrame | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    socket: WebSocket,
    { clientId, previews, extended, after, graceMs, isGood, now }: SessionOptions,
    onGone: (session: Session, wasClosed: boolean) => void,
  ) {
    this.#socket = socket;
    this.clientId = clientId;
    this.previews = previews;
    this.extended = extended;
    this.after = after;
    this.graceMs = graceMs;
    this.isGood = isGood;
    this.#now = now;
    this.openedAt = now();
    const count = () => {
      this.#messages += 1;
      if (this.#messages > maxMessagesPerBeat) this.close(1008, 'too many messages');
    };
    socket.on('message', count);
    // They cost as much as messages.
    socket.on('ping', count);
    socket.on('pong', () => {
      this.#alive = true;
      count();
    });
    // A broken frame or a reset; `close` follows and does the rest.
    socket.on('error', () => {});
    socket.once('close', (code: number) => {
      clearTimeout(this.#timer);
      // 1006: cut, without the other side's closing frame.
      onGone(this, code !== 1006);
    });
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  /** A frame that must arrive: `connected`, `closed`, `error`. Anything held back goes first. */
  send(frame: CompatFrame): void {
    this.#flush();
    this.#write(frame);
  }

  /** A heartbeat, serialised; not worth queueing for a client that does not read. */
  beat(text: string): void {
    this.#messages = 0;
    if (this.#socket.bufferedAmount > closeAboveBytes) {
      this.close(1013, 'this client reads too slowly');
      return;
    }
    if (this.#socket.bufferedAmount <= dropAboveBytes) this.#writeText(text);
  }

  /** Progress, at most ten a second: of what comes faster only the newest counts. */
  sendProgress(frame: CompatFrame): void {
    const wait = this.#lastProgressAt + minGapMs - this.#now();
    this.#pending = frame;
    if (wait <= 0) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), wait).unref();
  }

  sendPreview(image: Buffer): void {
    if (this.isOpen && this.#socket.bufferedAmount <= dropAboveBytes)
      this.#socket.send(image, { binary: true });
  }

  /** Asks whether anybody is there. A client that has not answered the last ping by now is gone. */
  ping(): void {
    if (!this.#alive) {
      this.#socket.terminate();
      return;
    }
    this.#alive = false;
    if (this.isOpen) this.#socket.ping();
  }

  close(code: number, reason: string): void {
    if (!this.isOpen) return;
    this.closedAt = this.#now();
    this.#socket.close(code, reason);
    // A peer that never answers the close frame must not keep the socket.
    setTimeout(() => this.#socket.terminate(), 2_000).unref();
  }

  terminate(): void {
    this.#socket.terminate();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const frame = this.#pending;
    this.#pending = undefined;
    if (frame === undefined || this.#socket.bufferedAmount > dropAboveBytes) return;
    this.#lastProgressAt = this.#now();
    this.#write(frame);
  }

  #write(frame: CompatFrame): void {
    this.#writeText(JSON.stringify(frame));
  }

  #writeText(text: string): void {
    if (this.isOpen) this.#socket.send(text);
  }
}
