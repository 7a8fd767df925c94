import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { expect, test } from 'vitest';

import { untilReceived } from './until-received.ts';

/** Both ends of one connection. */
async function connection(): Promise<{ server: Socket; client: Socket } & Disposable> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const client = connect(port, '127.0.0.1').on('error', () => {});
  const [server]: Socket[] = await once(listener, 'connection');
  if (server === undefined) throw new Error('no connection');
  server.on('error', () => {});
  return {
    server,
    client,
    [Symbol.dispose]() {
      client.destroy();
      server.destroy();
      listener.close();
    },
  };
}

test('a connection that stays whole for a while has brought the answer', async () => {
  using t = await connection();
  expect(await untilReceived(t.server, 100)).toBe(true);
});

test('a reset tells it of every answer that still waits, with one pair of listeners for all of them', async () => {
  using t = await connection();
  const before = [t.server.listenerCount('close'), t.server.listenerCount('error')];
  const answers = Array.from({ length: 20 }, () => untilReceived(t.server, 10_000_000));
  expect(t.server.listenerCount('close')).toBe((before[0] ?? 0) + 1);
  expect(t.server.listenerCount('error')).toBe((before[1] ?? 0) + 1);
  t.server.resume();
  t.client.resetAndDestroy();
  expect(new Set(await Promise.all(answers))).toEqual(new Set([false]));
});

test('a goodbye after the answer is a receipt', async () => {
  using t = await connection();
  const received = untilReceived(t.server, 10_000_000);
  t.server.resume();
  t.client.end();
  expect(await received).toBe(true);
});
