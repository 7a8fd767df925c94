import { networkInterfaces } from 'node:os';

import { expect, test } from 'vitest';

import { bearer, createKey, operatorToken, startKeyed } from './_keys.ts';
import { rawConnection } from './_requests.ts';
import type { RawConnection } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';
import { openSocket } from './_ws-client.ts';

/** How a network card of this machine is called, which is not its loopback. */
const own = Object.values(networkInterfaces())
  .flat()
  .find((found) => found?.family === 'IPv4' && !found.internal)?.address;

/** A connection that is kept, and how often it was asked. */
interface Peer {
  connection: RawConnection;
  asked: number;
}

/** The status that it is answered. */
async function ask(peer: Peer, headers: Record<string, string> = {}): Promise<string> {
  const lines = Object.entries({ host: 'x', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  peer.connection.socket.write(`GET /generation-count HTTP/1.1\r\n${lines.join('')}\r\n`);
  peer.asked += 1;
  const text = await peer.connection.until(
    new RegExp(`(HTTP/1\\.1 \\d{3}[^]*?\\r\\n\\r\\n[^]*?){${peer.asked}}`),
  );
  return /.*HTTP\/1\.1 (\d{3})/s.exec(text)?.[1] ?? '';
}

function connectMany(t: Pick<TestBridge, 'url'>, count: number): DisposableStack & { list: Peer[] } {
  const stack = new DisposableStack();
  const list = Array.from({ length: count }, () => ({ connection: stack.use(rawConnection(t)), asked: 0 }));
  return Object.assign(stack, { list });
}

test('without keys, connections beyond MAX_CONNECTIONS are refused and told, and one that ends makes room', async () => {
  await using t = await startBridge({ sims: 0, env: { MAX_CONNECTIONS: '10' } });
  const told = t.nextEvent('connections:refused');
  using peers = connectMany(t, 10);
  for (const peer of peers.list) expect(await ask(peer)).toBe('200');
  const refused = await t.get('/healthz');
  expect(refused.status).toBe(503);
  expect(refused.headers.get('retry-after')).toBe('5');
  await refused.arrayBuffer();
  expect(await told).toEqual({ count: 1, open: 10, address: null });
  peers.list[0]?.connection.socket.destroy();
  await expect.poll(async () => (await t.get('/healthz').then((answer) => answer.status)) === 200).toBe(true);
  for (const peer of peers.list.slice(1)) expect(await ask(peer)).toBe('200');
});

test('with keys, strangers who hold every connection keep nobody out who has a key', async () => {
  await using t = await startKeyed({ sims: 0, env: { MAX_CONNECTIONS: '10' } });
  const { key } = await createKey(t);
  using known = connectMany(t, 4);
  for (const peer of known.list) expect(await ask(peer, bearer(key))).toBe('200');
  using socket = await openSocket(`${t.wsUrl}/ws?clientId=one`, { headers: bearer(key) });
  using strangers = connectMany(t, 30);
  const answer = await t.get('/generation-count', { headers: bearer(operatorToken) });
  expect(answer.status).toBe(200);
  await answer.arrayBuffer();
  for (const peer of known.list) expect(await ask(peer, bearer(key))).toBe('200');
  expect(socket.socket.readyState).toBe(socket.socket.OPEN);
  const left = () => strangers.list.filter(({ connection }) => !connection.socket.destroyed).length;
  await expect.poll(left).toBe(4);
});

test.skipIf(own === undefined)(
  'LIMIT_CONNECTIONS holds for an address of another machine, and not for this one or a trusted proxy',
  async () => {
    const env = { HOST: '0.0.0.0', KEYS: 'off', LIMIT_CONNECTIONS: '2' };
    const tryThree = async (t: TestBridge, host: string): Promise<string[]> => {
      using peers = connectMany({ url: t.url.replace('0.0.0.0', host) }, 3);
      const answers: string[] = [];
      for (const peer of peers.list) answers.push(await ask(peer));
      return answers;
    };
    {
      await using t = await startBridge({ sims: 0, env });
      expect(await tryThree(t, own ?? '')).toEqual(['200', '200', '503']);
      expect(await tryThree(t, '127.0.0.1')).toEqual(['200', '200', '200']);
    }
    for (const TRUST_PROXY of [own ?? '', '1']) {
      await using t = await startBridge({ sims: 0, env: { ...env, TRUST_PROXY } });
      expect(await tryThree(t, own ?? '')).toEqual(['200', '200', '200']);
    }
  },
);
