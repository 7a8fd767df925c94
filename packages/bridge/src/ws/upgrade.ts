import type { IncomingMessage } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

import { clientIdSchema } from '@comfy-bridge/protocol';

import { readSocketQuery } from './socket-query.ts';
import type { SocketQuery } from './socket-query.ts';

export interface Refused {
  ok: false;
  status: number;
  detail: string;
  headers?: Readonly<Record<string, string>>;
}

/** What a caller is let in as. */
export interface Admitted {
  ok: true;
  /** A `clientId` as it is kept. */
  scope(clientId: string): string;
  /** False once its key is over. */
  isGood(): boolean;
  /** Takes a place among the open sockets. */
  enter(): { ok: true; leave(): void } | Refused;
}

export interface UpgradeDeps {
  /** Who comes, by its key or ticket. */
  admit(request: IncomingMessage, query: URLSearchParams): Admitted | Refused;
  mayConnect(request: IncomingMessage): boolean;
  isDraining(): boolean;
}

export interface Upgrade {
  ok: true;
  /** As it is kept. */
  clientId: string;
  wishes: SocketQuery;
  isGood(): boolean;
  leave(): void;
}

/** Reads a request to open `path` as a WebSocket. Whoever is not let in learns nothing else. */
export function readUpgrade(
  { admit, mayConnect, isDraining }: UpgradeDeps,
  request: IncomingMessage,
  path: string,
): Upgrade | Refused {
  const url = URL.parse(request.url ?? '/', 'http://bridge');
  const query = url?.searchParams ?? new URLSearchParams();
  const admitted = admit(request, query);
  if (!admitted.ok) return admitted;
  if (url?.pathname !== path) return refuse(404, 'there is no WebSocket here: use /ws');
  const clientId = clientIdSchema.safeParse(query.get('clientId') ?? '');
  if (!clientId.success) {
    return refuse(400, 'clientId is missing or not valid: /ws?clientId=<1 to 128 of A-Z a-z 0-9 . _ : ->');
  }
  if (!mayConnect(request)) return refuse(403, 'pages of this origin may not connect');
  if (isDraining())
    return refuse(503, 'the bridge is shutting down: try again in a moment', { 'Retry-After': '5' });
  const wishes = readSocketQuery(query);
  if (!wishes.ok) return refuse(400, wishes.detail);
  const entered = admitted.enter();
  if (!entered.ok) return entered;
  return {
    ok: true,
    clientId: admitted.scope(clientId.data),
    wishes: wishes.query,
    isGood: admitted.isGood,
    leave: entered.leave,
  };
}

function refuse(status: number, detail: string, headers: Refused['headers'] = {}): Refused {
  return { ok: false, status, detail, headers };
}

/** A caller that is refused and does not hang up is cut off. ms. */
const refusedMs = 2_000;

export function answerRefused(socket: Duplex, { status, detail, headers = {} }: Refused): void {
  const body = JSON.stringify({ detail });
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\n${lines.join('')}Content-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  // Nobody else would notice that the other side has ended, or has not: Node has let go of this socket.
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), refusedMs).unref();
  socket.once('close', () => clearTimeout(timer));
}
