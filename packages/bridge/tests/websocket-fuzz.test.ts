import { connect } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';

import { expect, test } from 'vitest';

import { startKeyed } from './_keys.ts';
import { createRandom, mutate } from './_mutate.ts';
import type { Random } from './_mutate.ts';
import { cut } from './_raw-requests.ts';
import { handshake, opcodes, speak, toClosePayload, toFrame } from './_raw-websocket.ts';
import { rawConnection } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';
import { openSocket } from './_ws-client.ts';

const cases = Number(process.env['FUZZ_CASES'] ?? 1_000);
const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const atOnce = 8;

const { more, text, binary, close, ping, pong } = opcodes;
const bye = toFrame(close, toClosePayload(1000));
const part = { fin: false };
const broken = Buffer.from([0xce, 0xba, 0xe1, 0xbd, 0xb9, 0xed, 0xa0, 0x80]);

/** Bytes after the handshake, and the code with which the bridge closes: RFC 6455, in the order of its well-known test suite. */
const spoken: readonly (readonly [what: string, frames: readonly Buffer[], code: number])[] = [
  ...([0, 125, 126, 127, 128, 65_535, 65_536] as const).flatMap((size) => [
    [`text of ${size} bytes`, [toFrame(text, 'x'.repeat(size)), bye], 1000] as const,
    [`${size} bytes`, [toFrame(binary, Buffer.alloc(size, 0xfe)), bye], 1000] as const,
  ]),
  ['one byte too many', [toFrame(text, 'x'.repeat(65_537))], 1009],
  ['one too many over two frames', [toFrame(text, 'x'.repeat(65_536), part), toFrame(more, 'x')], 1009],
  ['a frame that says 2⁵³', [toFrame(binary, '', { claimed: 2n ** 53n })], 1009],
  ['a frame that says 2⁶³', [toFrame(binary, '', { claimed: 2n ** 63n })], 1009],
  ['a frame that says 2³² - 1', [toFrame(binary, '', { claimed: 2n ** 32n - 1n })], 1009],
  ['pings with 0 and 125 bytes', [toFrame(ping), toFrame(ping, 'x'.repeat(125)), bye], 1000],
  ['a ping with 126 bytes', [toFrame(ping, 'x'.repeat(126))], 1002],
  ['pongs that nobody asked for', [toFrame(pong), toFrame(pong, 'x'), toFrame(ping, 'y'), bye], 1000],
  ...[1, 2, 3, 4, 5, 6, 7].flatMap((rsv) =>
    [text, binary, ping, close].map(
      (opcode) => [`reserved bits ${rsv} on ${opcode}`, [toFrame(opcode, '', { rsv })], 1002] as const,
    ),
  ),
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((opcode) => [
    [`opcode ${opcode}`, [toFrame(opcode)], 1002] as const,
    [`opcode ${opcode} within a message`, [toFrame(text, 'a', part), toFrame(opcode, 'x')], 1002] as const,
  ]),
  ['a message in three', [toFrame(text, 'a', part), toFrame(more, 'b', part), toFrame(more, 'c'), bye], 1000],
  ['a ping between', [toFrame(text, 'a', part), toFrame(ping, 'p'), toFrame(more, 'c'), bye], 1000],
  ['a ping in two', [toFrame(ping, 'a', part), toFrame(more, 'b')], 1002],
  ['a pong in two', [toFrame(pong, 'a', part), toFrame(more, 'b')], 1002],
  ['a close in two', [toFrame(close, '', part), toFrame(more)], 1002],
  ['a rest of nothing', [toFrame(more, 'a')], 1002],
  ['a rest of nothing that goes on', [toFrame(more, 'a', part), toFrame(text, 'b')], 1002],
  ['a message within another', [toFrame(text, 'a', part), toFrame(text, 'b')], 1002],
  ['bytes within a text', [toFrame(text, 'a', part), toFrame(binary, 'b')], 1002],
  ['frames of nothing', [toFrame(text, '', part), toFrame(more, '', part), toFrame(more), bye], 1000],
  ['a frame that is not masked', [toFrame(text, 'a', { masked: false })], 1002],
  ['a close that is not masked', [toFrame(close, '', { masked: false })], 1002],
  ['a length of 5 in two bytes', [toFrame(text, 'abcde', { lengthBytes: 2 }), bye], 1000],
  ['a length of 5 in eight bytes', [toFrame(text, 'abcde', { lengthBytes: 8 }), bye], 1000],
  ['a ping whose length is in two bytes', [toFrame(ping, 'abcde', { lengthBytes: 2 })], 1002],
  ['text that is not UTF-8', [toFrame(text, broken)], 1007],
  [
    'a surrogate over frames',
    [toFrame(text, broken.subarray(0, 6), part), toFrame(more, broken.subarray(6))],
    1007,
  ],
  ['text cut within a character', [toFrame(text, Buffer.from('κόσ').subarray(0, 5))], 1007],
  [
    'a character over three frames',
    [
      ...[0, 1, 2].map((at) =>
        toFrame(at === 0 ? text : more, Buffer.from('€').subarray(at, at + 1), { fin: at === 2 }),
      ),
      bye,
    ],
    1000,
  ],
  ['beyond Unicode', [toFrame(text, Buffer.from([0xf4, 0x90, 0x80, 0x80]))], 1007],
  ['written too long', [toFrame(text, Buffer.from([0xc0, 0xaf]))], 1007],
  ['a NUL', [toFrame(text, '\0'), bye], 1000],
  ['bytes that are not UTF-8', [toFrame(binary, broken), bye], 1000],
  ['a close without anything', [toFrame(close)], 1005],
  ['a close of one byte', [toFrame(close, 'x')], 1002],
  ['a close with 123 bytes', [toFrame(close, toClosePayload(1000, 'x'.repeat(123)))], 1000],
  ['a close with 124 bytes', [toFrame(close, toClosePayload(1000, 'x'.repeat(124)))], 1002],
  ['a close that is not UTF-8', [toFrame(close, toClosePayload(1000, broken))], 1007],
  ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999].map(
    (code) => [`close ${code}`, [toFrame(close, toClosePayload(code))], code] as const,
  ),
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535].map(
    (code) => [`close ${code}, which there is not`, [toFrame(close, toClosePayload(code))], 1002] as const,
  ),
  ['what comes behind a close', [bye, toFrame(text, broken), toFrame(15)], 1000],
  ['a compressed message nobody agreed on', [toFrame(text, Buffer.alloc(900, 0xff), { rsv: 4 })], 1002],
  ['too many messages', [...Array.from({ length: 200 }, () => toFrame(text, 'a')), bye], 1008],
  ['too many pongs', [...Array.from({ length: 200 }, () => toFrame(pong, 'a')), bye], 1008],
  [
    'too many pieces of a message',
    [...Array.from({ length: 20_000 }, (_, at) => toFrame(at === 0 ? text : more, 'a', part)), bye],
    1008,
  ],
];

const socketTarget = '/ws?clientId=fuzz';

async function expectClose(t: TestBridge, [what, frames, code]: (typeof spoken)[number]): Promise<void> {
  const whole = Buffer.concat(frames);
  const isLong = frames.length > 100;
  const ways = isLong ? [[whole]] : [frames, [whole]];
  if (whole.length < 100) ways.push([...whole].map((byte) => Buffer.from([byte])));
  for (const pieces of ways) {
    const { status, closeCode } = await speak(t.url, handshake(socketTarget), pieces);
    expect(status, what).toBe(101);
    expect(closeCode, what).toBe(code);
  }
  if (isLong) return;
  const early = await speak(t.url, handshake(socketTarget), frames, { early: true });
  expect(early.closeCode, `${what}, with the handshake`).toBe(code);
}

test(
  'what RFC 6455 says of each frame holds, in one piece or byte by byte',
  { timeout: 60_000 },
  async () => {
    await using t = await startBridge({ sims: 0 });
    using other = await openSocket(`${t.wsUrl}/ws?clientId=other`);
    await other.next('connected');
    await Promise.all(spoken.map((each) => expectClose(t, each)));
    expect(other.socket.readyState).toBe(other.socket.OPEN);
    expect(t.errors).toEqual([]);
    await expectNoSockets(t, 1);
  },
);

/** All but so many are let go of, whether their clients were polite or not. */
async function expectNoSockets(t: TestBridge, left: number): Promise<void> {
  const count = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
  await expect.poll(count, { timeout: 5_000 }).toBeLessThanOrEqual(2 * left);
  expect((await t.get('/healthz')).status).toBe(200);
}

const refused: readonly (readonly [what: string, bytes: string, status: number])[] = [
  ['without a key', handshake(socketTarget).replace(/Sec-WebSocket-Key.*\r\n/, ''), 400],
  ['with a key that is too short', handshake(socketTarget).replace('dGhl', ''), 400],
  ['with two keys', handshake(socketTarget, ['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']), 400],
  ['of version 12', handshake(socketTarget).replace('Version: 13', 'Version: 12'), 400],
  ['without a version', handshake(socketTarget).replace(/Sec-WebSocket-Version.*\r\n/, ''), 400],
  ['by POST', handshake(socketTarget).replace('GET', 'POST'), 405],
  ['elsewhere', handshake('/wss?clientId=a'), 404],
  ['on a path that is another', handshake('/ws/?clientId=a'), 404],
  ['on an encoded path', handshake('/%77s?clientId=a'), 404],
  ['without a clientId', handshake('/ws'), 400],
  ['with a bad clientId', handshake('/ws?clientId=a%00b'), 400],
  ['with many headers', handshake(socketTarget, Array<string>(3_000).fill('a: bcdefg')), 431],
  ['from another page', handshake(socketTarget, ['Origin: http://evil.example']), 403],
  ['from a page of nowhere', handshake(socketTarget, ['Origin: null']), 403],
  ['with a body', handshake(socketTarget, ['Content-Length: 4']).replace('GET', 'PUT') + 'abcd', 405],
  ['with bad extensions', handshake(socketTarget, ['Sec-WebSocket-Extensions: ;;']), 101],
  ['with bad subprotocols', handshake(socketTarget, ['Sec-WebSocket-Protocol: ,,']), 400],
];

test.each(refused)('a handshake %s is answered and its connection ended', async (_what, bytes, status) => {
  await using t = await startBridge({ sims: 0, env: { CORS_ORIGINS: 'https://studio.example' } });
  const answer = await speak(t.url, bytes, [toFrame(15)]);
  expect(answer.status, answer.head).toBe(status);
  expect(answer.head).not.toMatch(/permessage|x-powered-by|^server:/im);
  await expectNoSockets(t, 0);
});

test('a stranger whose handshake is refused and who does not hang up is cut off', async () => {
  await using t = await startKeyed({ sims: 0 });
  const { hostname, port } = new URL(t.url);
  const closed = await Promise.all(
    Array.from({ length: 50 }, async () => {
      const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
      const { promise, resolve } = Promise.withResolvers<boolean>();
      socket.on('error', () => {});
      socket.resume().write(handshake(socketTarget));
      socket.once('end', () => {
        // Only a reset tells who has half closed its side that the other has let go of it.
        const timer = setInterval(() => socket.write('x'), 200);
        socket.once('close', () => {
          clearInterval(timer);
          resolve(true);
        });
      });
      return promise;
    }),
  );
  expect(closed).toHaveLength(50);
});

test.each([1, 1_000])('who sends many pings, %d at once, is let go of', async (together) => {
  await using t = await startBridge({ sims: 0 });
  using raw = rawConnection(t);
  raw.socket.write(handshake(socketTarget));
  await raw.until(/connected/);
  const pings = Buffer.concat(Array.from({ length: together }, () => toFrame(ping, 'x')));
  let sent = 0;
  while (!raw.socket.destroyed && sent < 2_000) {
    await new Promise<void>((resolve) => raw.socket.write(pings, () => resolve()));
    sent += together;
    await turn();
  }
  // With a word, or cut where the answers pile up.
  const answers = (await raw.received).split('\x8a\x01x').length - 1;
  expect(answers).toBeLessThanOrEqual(101);
});

test('who sends pings and never reads fills no memory', async () => {
  await using t = await startBridge({ sims: 0 });
  using raw = rawConnection(t);
  raw.socket.write(handshake(socketTarget));
  await raw.until(/connected/);
  const before = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
  raw.socket.pause();
  const pings = Buffer.concat(Array.from({ length: 5_000 }, () => toFrame(ping, 'x'.repeat(125))));
  for (let sent = 0; sent < 200 && !raw.socket.destroyed; sent += 1)
    await new Promise<void>((resolve) => raw.socket.write(pings, () => resolve()));
  raw.socket.resume();
  await raw.received;
  const used = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed - before;
  expect(used).toBeLessThan(60 * 1024 * 1024);
});

function writeFrames(random: Random): Buffer[] {
  const frames = Array.from({ length: 1 + random.int(6) }, () => {
    const [, frame] = random.pick(spoken.filter(([, each]) => each.length < 5));
    return Buffer.concat(frame.slice(0, random.pick([1, 5])));
  });
  const bytes = Buffer.concat(frames).subarray(0, 90_000);
  const changed = random.int(4) === 0 ? bytes : mutate(bytes, random, [bytes, random.bytes(40)]);
  return cut(changed, random);
}

test(
  `frames changed at random end their own socket at the most (FUZZ_SEED=${seed})`,
  { timeout: 30_000 + cases * 20 },
  async () => {
    await using t = await startBridge({ sims: 0, env: { LIMIT_TIMEOUT_COUNT: '86400' } });
    using other = await openSocket(`${t.wsUrl}/ws?clientId=other`);
    await other.next('connected');
    const codes = new Map<number | undefined, number>();
    let next = 0;
    async function lane(): Promise<void> {
      while (next < cases) {
        const number = next++;
        const random = createRandom(seed + number * 7_919);
        const { closeCode } = await hangUpAfter(t, writeFrames(random)).catch((cause: unknown) => {
          throw new Error(`case ${number}, FUZZ_SEED=${seed}`, { cause });
        });
        codes.set(closeCode, (codes.get(closeCode) ?? 0) + 1);
      }
    }
    await Promise.all(Array.from({ length: atOnce }, lane));
    if (cases > 5_000)
      process.stdout.write(`WebSockets: ${cases}, close codes: ${JSON.stringify([...codes])}\n`);
    for (const code of codes.keys())
      if (code !== undefined && code < 3_000)
        expect([1000, 1001, 1002, 1003, 1005, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014]).toContain(
          code,
        );
    expect(codes.get(1002)).toBeGreaterThan(0);
    expect(other.socket.readyState).toBe(other.socket.OPEN);
    expect(t.errors).toEqual([]);
    await expectNoSockets(t, 1);
  },
);

/** Sends, and ends its side: a client that stops within a frame. */
async function hangUpAfter(t: TestBridge, pieces: readonly Buffer[]) {
  return speak(t.url, handshake(socketTarget), pieces, { hangUp: true });
}
