import type { Socket } from 'node:net';

import { toAddressGroup } from './address-group.ts';

export interface ConnectionGateDeps {
  /** Addresses that stand for many callers, or for this machine: only all connections together are bounded there. */
  isExempt(address: string): boolean;
  /** Some were closed or not let in since the last time; told at once, and then at most once in `noticeMs`. */
  onRefused(refused: RefusedConnections): void;
}

export interface RefusedConnections {
  count: number;
  /** Of everybody, now. */
  open: number;
  /** Whose had too many, the last time (IPv6: its network); null: there were too many of everybody. */
  address: string | null;
}

export interface ConnectionGateOptions {
  /** Open connections of everybody. */
  total: number;
  /** Of strangers from one address (IPv6: one network); infinity: any number. */
  perAddress: number;
  /** When `total` is reached, the stranger that is there the longest makes room. For where callers show who they are. */
  evictsStrangers: boolean;
  noticeMs?: number;
}

/** Bounds how many connections are open, so that no peer keeps the others out. */
export interface ConnectionGate extends Disposable {
  readonly open: number;
  /** False: it was refused, and nobody else is to use it. */
  admit(socket: Socket): boolean;
  /** Whoever uses it is no stranger any more: other limits hold for it. */
  vouch(socket: Socket): void;
}

export function createConnectionGate(
  { isExempt, onRefused }: ConnectionGateDeps,
  { total, perAddress, evictsStrangers, noticeMs = 10_000 }: ConnectionGateOptions,
): ConnectionGate {
  /** By socket, in the order in which they came: the address that it counts for, if it counts for one. */
  const strangers = new Map<Socket, string | undefined>();
  const perGroup = new Map<string, number>();
  const state = { open: 0, answering: 0 };
  const untold: Omit<RefusedConnections, 'open'> = { count: 0, address: null };
  let notice: NodeJS.Timeout | undefined;

  function note(address: string | null): void {
    untold.count += 1;
    untold.address = address;
    if (notice === undefined) tell();
  }

  function tell(): void {
    notice = undefined;
    if (untold.count === 0) return;
    onRefused({ ...untold, open: state.open });
    untold.count = 0;
    notice = setTimeout(tell, noticeMs).unref();
  }

  function vouch(socket: Socket): void {
    const group = strangers.get(socket);
    strangers.delete(socket);
    if (group === undefined) return;
    const left = (perGroup.get(group) ?? 1) - 1;
    if (left > 0) perGroup.set(group, left);
    else perGroup.delete(group);
  }

  function makeRoom(): boolean {
    const [oldest] = evictsStrangers ? strangers.keys() : [];
    if (oldest === undefined) return false;
    forget(oldest);
    oldest.destroy();
    return true;
  }

  const counted = new WeakSet<Socket>();
  function forget(socket: Socket): void {
    if (!counted.delete(socket)) return;
    state.open -= 1;
    vouch(socket);
  }

  function refuse(socket: Socket): false {
    if (state.answering >= maxAnswering) {
      socket.destroy();
      return false;
    }
    state.answering += 1;
    socket.once('close', () => (state.answering -= 1));
    answer(socket);
    return false;
  }

  return {
    get open() {
      return state.open;
    },
    admit(socket) {
      const address = socket.remoteAddress ?? '';
      const group = address === '' || isExempt(address) ? undefined : toAddressGroup(address);
      const ofGroup = group === undefined ? 0 : (perGroup.get(group) ?? 0);
      if (group !== undefined && ofGroup >= perAddress) {
        note(group);
        return refuse(socket);
      }
      if (state.open >= total) {
        note(null);
        if (!makeRoom()) return refuse(socket);
      }
      state.open += 1;
      counted.add(socket);
      strangers.set(socket, group);
      if (group !== undefined) perGroup.set(group, ofGroup + 1);
      socket.once('close', () => forget(socket));
      return true;
    },
    vouch,
    [Symbol.dispose]() {
      clearTimeout(notice);
    },
  };
}

/** So many at a time are told why; the others are closed without a word, since what is told keeps a connection for a moment. */
const maxAnswering = 32;
const answerMs = 1_000;

function answer(socket: Socket): void {
  const body = JSON.stringify({ detail: 'too many connections are open: try again in a moment' });
  socket.on('error', () => socket.destroy());
  socket.end(
    `HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  // What is unread when a connection ends takes the answer with it.
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), answerMs).unref();
  socket.once('close', () => clearTimeout(timer));
}
