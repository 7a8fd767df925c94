import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

import { expect, test } from 'vitest';

import { createConnectionGate } from '../src/lib/connection-gate.ts';
import type {
  ConnectionGate,
  ConnectionGateOptions,
  RefusedConnections,
} from '../src/lib/connection-gate.ts';
import { closeServer, createHttpServer, listen } from '../src/lib/listen.ts';

interface Rig extends AsyncDisposable {
  gate: ConnectionGate;
  told: RefusedConnections[];
  /** Sockets of the server's side that it let in, in that order. */
  admitted: Socket[];
  /** A connection from one of this machine's addresses, which sends nothing. */
  from(address: string): Promise<Peer>;
}

interface Peer {
  socket: Socket;
  /** All that came until it was closed. */
  received: Promise<string>;
  /** What it is answered to a request. */
  ask(): Promise<string>;
}

async function start(options: Partial<ConnectionGateOptions>, exempt: string[] = []): Promise<Rig> {
  await using parts = new AsyncDisposableStack();
  const told: RefusedConnections[] = [];
  const gate = parts.use(
    createConnectionGate(
      { isExempt: (address) => exempt.includes(address), onRefused: (refused) => told.push(refused) },
      { total: 1_000, perAddress: 1_000, evictsStrangers: false, ...options },
    ),
  );
  const admitted: Socket[] = [];
  const server = createHttpServer((socket) => {
    const isIn = gate.admit(socket);
    if (isIn) admitted.push(socket);
    return isIn;
  });
  server.on('request', (_request, response) => response.end('here'));
  const url = new URL(await listen(server, { host: '127.0.0.1', port: 0 }));
  parts.defer(() => closeServer(server, 0));
  const peers: Socket[] = [];
  parts.defer(() => peers.forEach((socket) => socket.destroy()));

  async function from(localAddress: string): Promise<Peer> {
    const socket = connect({ host: url.hostname, port: Number(url.port), localAddress });
    peers.push(socket);
    let text = '';
    socket.setEncoding('latin1').on('data', (part) => (text += String(part)));
    socket.on('error', () => socket.destroy());
    const received = new Promise<string>((resolve) => socket.once('close', () => resolve(text)));
    await once(socket, 'connect').catch(() => {});
    async function ask(): Promise<string> {
      text = '';
      const answered = Promise.race([once(socket, 'data'), received]);
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      await answered;
      return text;
    }
    return { socket, received, ask };
  }

  const owned = parts.move();
  return { gate, told, admitted, from, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

const [one, two] = ['127.0.0.2', '127.0.0.3'];

// Other systems have one loopback address.
test.skipIf(process.platform !== 'linux')(
  'connections of an address beyond its limit are answered 503 and closed; others come in, and so does it when one is over',
  async () => {
    await using rig = await start({ perAddress: 2 });
    const [first, second] = [await rig.from(one), await rig.from(one)];
    const third = await rig.from(one);
    const refusal = await third.received;
    expect(refusal).toMatch(/^HTTP\/1\.1 503 .*\r\nConnection: close\r\nRetry-After: 5\r\n/);
    expect(JSON.parse(refusal.split('\r\n\r\n')[1] ?? '')).toEqual({
      detail: 'too many connections are open: try again in a moment',
    });
    for (const peer of [first, second, await rig.from(two)]) expect(await peer.ask()).toContain('200 OK');
    expect(rig.gate.open).toBe(3);
    first.socket.destroy();
    await expect.poll(() => rig.gate.open).toBe(2);
    expect(await (await rig.from(one)).ask()).toContain('200 OK');
    expect(rig.told).toEqual([{ count: 1, open: 2, address: one }]);
  },
);

test.skipIf(process.platform !== 'linux')(
  'what is vouched for, and what stands for many callers, does not count for its address',
  async () => {
    await using rig = await start({ perAddress: 1 }, [two]);
    for (let turn = 1; turn <= 3; turn += 1) {
      expect(await (await rig.from(one)).ask()).toContain('200 OK');
      for (const socket of rig.admitted) rig.gate.vouch(socket);
    }
    for (let turn = 1; turn <= 3; turn += 1) expect(await (await rig.from(two)).ask()).toContain('200 OK');
    expect(rig.gate.open).toBe(6);
    await rig.from(one);
    expect(await (await rig.from(one)).received).toContain('503');
  },
);

test('a flood is refused without keeping it, and told seldom', async () => {
  await using rig = await start({ total: 1, noticeMs: 200 });
  const inside = await rig.from('127.0.0.1');
  const refused = await Promise.all(Array.from({ length: 200 }, () => rig.from('127.0.0.1')));
  const answers = await Promise.all(refused.map(({ received }) => received));
  expect(answers.filter((text) => text !== '' && !text.includes('503'))).toEqual([]);
  expect(answers.filter((text) => text.includes('503')).length).toBeGreaterThan(0);
  expect(await inside.ask()).toContain('200 OK');
  expect(rig.gate.open).toBe(1);
  const count = () => rig.told.reduce((sum, refusal) => sum + refusal.count, 0);
  await expect.poll(count, { timeout: 5_000 }).toBe(200);
  expect(rig.told.length).toBeLessThan(20);
  expect(rig.told[0]).toEqual({ count: 1, open: 1, address: null });
});

test('where callers show who they are, the stranger that is there the longest makes room', async () => {
  await using rig = await start({ total: 3, evictsStrangers: true });
  const peers: Peer[] = [];
  for (let turn = 0; turn < 3; turn += 1) {
    const peer = await rig.from('127.0.0.1');
    expect(await peer.ask()).toContain('200 OK');
    peers.push(peer);
  }
  const [known, oldest, younger] = peers;
  rig.gate.vouch(rig.admitted[0]!);
  const next = await rig.from('127.0.0.1');
  expect(await next.ask()).toContain('200 OK');
  await oldest?.received;
  expect(await known?.ask()).toContain('200 OK');
  expect(await younger?.ask()).toContain('200 OK');
  for (const socket of rig.admitted) rig.gate.vouch(socket);
  expect(await (await rig.from('127.0.0.1')).received).toContain('503');
  expect(rig.gate.open).toBe(3);
});
