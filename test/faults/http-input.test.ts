import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';

import { describe, expect, test } from 'vitest';

import { accessModes, toHeaderLines } from '../../packages/bridge/tests/_access.ts';
import { soonMs, startPulse } from './_pulse.ts';
import { createRandom } from './_random.ts';
import type { Random } from './_random.ts';
import { startRig } from './_rig.ts';
import type { Rig } from './_rig.ts';
import { thorough } from './_settings.ts';
import { waitUntil } from './_wait-until.ts';

const megabyte = 1024 * 1024;

/** The status that is answered while a body is still on its way. */
async function sendMuch(url: string, bytes: number, announced: boolean, credentials = ''): Promise<number> {
  const chunk = Buffer.alloc(64 * 1024, 0x20);
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on('error', () => {});
  const answered = Promise.withResolvers<number>();
  socket.once('data', (data) => answered.resolve(Number(data.toString('latin1').split(' ')[1])));
  socket.once('close', () => answered.resolve(0));
  const length = announced ? `Content-Length: ${bytes}` : 'Transfer-Encoding: chunked';
  socket.write(
    `POST /generate-based-workflow?clientId=c HTTP/1.1\r\nHost: x\r\n${credentials}${length}\r\n\r\n`,
  );
  const state = { over: false };
  void answered.promise.then(() => (state.over = true));
  for (let sent = 0; sent < bytes && !state.over && !socket.destroyed; sent += chunk.length) {
    const head = announced ? '' : `${chunk.length.toString(16)}\r\n`;
    const flushed = socket.write(
      Buffer.concat([Buffer.from(head), chunk, Buffer.from(announced ? '' : '\r\n')]),
    );
    if (!flushed)
      await Promise.race([answered.promise, new Promise((resolve) => socket.once('drain', resolve))]);
  }
  const status = await answered.promise;
  socket.destroy();
  return status;
}

/** Sends a beginning at once and then a little every second, for as long as it may. */
function dribble(port: number, beginning: string, more: string): Socket {
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => {}).on('data', () => {});
  socket.write(beginning);
  const timer = setInterval(() => socket.write(more), 1_000);
  socket.once('close', () => clearInterval(timer));
  return socket;
}

const routes = [
  '/workflow-info',
  '/workflow-list',
  '/generate-based-workflow',
  '/history',
  '/execution-info',
  '/interrupt',
  '/free',
  '/upload',
  '/generation-count',
  '/api/bridge/jobs',
  '/api/bridge/backends',
  '/api/v2/jobs',
  '/healthz',
  '/nowhere',
] as const;
const methods = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH'] as const;
const snippets = [
  '',
  'a',
  'tiny',
  '../../etc/passwd',
  '%00',
  '%E0%A4%A',
  '\u0000',
  '{"workflow":"tiny"}',
  '{"workflow":"tiny","1/color":1e999}',
  '{"__proto__":{"x":1},"workflow":"tiny"}',
  '[[[[',
  '-1',
  '9'.repeat(400),
  '💥',
  '<script>',
  "' OR 1=1 --",
  'null',
  'true',
] as const;

async function nonsense(random: Random, { bridge, credentials }: Rig, bad: string[]): Promise<void> {
  const method = random.pick(methods);
  const query = Array.from({ length: random.between(0, 3) }, () => {
    const key = random.pick([
      'clientId',
      'workflow',
      'resType',
      'detail',
      'limit',
      'after',
      'status',
      random.pick(snippets),
    ]);
    return `${encodeURIComponent(key)}=${random.chance(0.2) ? '%' : encodeURIComponent(random.pick(snippets))}`;
  });
  const path = `${random.pick(routes)}${random.chance(0.2) ? `/${encodeURIComponent(random.pick(snippets))}` : ''}?${query.join('&')}`;
  const hasBody = !['GET', 'HEAD'].includes(method) && random.chance(0.7);
  const types = [
    'application/json',
    'text/plain',
    'multipart/form-data; boundary=x',
    'multipart/form-data',
    'x',
  ];
  try {
    const answer = await fetch(`${bridge.url}${path}`, {
      method,
      headers: {
        ...credentials,
        connection: 'close',
        ...(hasBody && { 'content-type': random.pick(types) }),
      },
      ...(hasBody && {
        body: Readable.toWeb(Readable.from([Buffer.from(random.pick(snippets))])) as never,
        duplex: 'half',
      }),
      signal: AbortSignal.timeout(5_000),
      redirect: 'manual',
    });
    await answer.arrayBuffer();
    // Without a backend, "try again later" is an honest answer.
    if (answer.status >= 500 && answer.status !== 503) bad.push(`${method} ${path}: ${answer.status}`);
  } catch (error) {
    bad.push(`${method} ${path}: ${String(error)}`);
  }
}

describe.each(accessModes)('%s', (access) => {
  test('bad bodies are 400 with a detail', { timeout: 60_000 }, async () => {
    const bodies = {
      'broken JSON': '{"workflow":',
      'a list': '[]',
      null: 'null',
      'no workflow': '{}',
      'an unknown workflow': '{"workflow":"nope"}',
      'a workflow of a wrong type': '{"workflow":7}',
      'an unknown input': '{"workflow":"tiny","9/none":1}',
      'an input that is not marked': '{"workflow":"tiny","1/width":64}',
      'an input of a wrong type': '{"workflow":"tiny","1/color":"red"}',
      '100 000 deep': `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
    };
    await using rig = await startRig({ access, backends: [], ready: false });
    for (const [what, body] of Object.entries(bodies)) {
      const answer = await rig.calls.post('/generate-based-workflow?clientId=c', body);
      expect([what, answer.status, answer.detail !== '']).toEqual([what, 400, true]);
    }
    const anonymous = await rig.calls.post('/generate-based-workflow', '{"workflow":"tiny"}');
    expect([anonymous.status, anonymous.detail !== '']).toEqual([400, true]);
    const named = await rig.calls.post('/generate-based-workflow?clientId=c', bodies['an unknown input']);
    expect(named.detail).toContain('9/none');
  });

  test(
    '150 MB of JSON: 413 before it was read, announced or not; memory stays',
    { timeout: 60_000 },
    async () => {
      await using rig = await startRig({ access, backends: [{}] });
      rig.client();
      await rig.verdict();
      const live = await rig.bridge.liveMemory();
      const before = (await rig.bridge.figures()).rss;
      const credentials = toHeaderLines(rig.credentials);
      for (const announced of [true, false]) {
        expect(await sendMuch(rig.bridge.url, 150 * megabyte, announced, credentials)).toBe(413);
        if (access === 'keys on') expect(await sendMuch(rig.bridge.url, 150 * megabyte, announced)).toBe(401);
      }
      expect((await rig.bridge.figures()).rss - before).toBeLessThan(100 * megabyte);
      expect((await rig.bridge.liveMemory()) - live).toBeLessThan(5 * megabyte);
    },
  );

  test(
    '500 connections whose headers never end, and slow bodies: closed in time, others served',
    { timeout: 90_000, skip: !thorough },
    async () => {
      await using rig = await startRig({ access, backends: [{}] });
      await using pulse = startPulse(rig.bridge);
      const startedAt = performance.now();
      const request = `POST /generate-based-workflow?clientId=slow HTTP/1.1\r\nHost: x\r\n${toHeaderLines(rig.credentials)}`;
      const slow = [
        ...Array.from({ length: 500 }, () => dribble(rig.bridge.port, request, 'X-Slow: 1\r\n')),
        ...Array.from({ length: 20 }, () =>
          dribble(rig.bridge.port, `${request}Content-Length: 1000\r\n\r\n`, '{'),
        ),
      ];
      for (let job = 0; job < 5; job += 1) rig.client();
      await Promise.all(
        rig.records.map(() =>
          waitUntil('all', () => rig.records.every(({ end }) => end), { withinMs: 20_000 }),
        ),
      );
      await waitUntil('all slow ones to be closed', () => slow.every(({ destroyed }) => destroyed), {
        withinMs: 40_000,
        everyMs: 200,
      }).catch(() => {});
      const open = [slow.slice(0, 500), slow.slice(500)].map(
        (sockets) => sockets.filter(({ destroyed }) => !destroyed).length,
      );
      const tookMs = performance.now() - startedAt;
      slow.forEach((socket) => socket.destroy());
      expect({ headers: open[0], bodies: open[1] }).toEqual({ headers: 0, bodies: 0 });
      expect(tookMs).toBeLessThan(40_000);
      expect(pulse.report().p50).toBeLessThan(soonMs);
      expect(await rig.verdict()).toEqual([]);
    },
  );

  test('seeded nonsense on every route: never 5xx, never silence', { timeout: 240_000 }, async () => {
    const seed = Number(process.env['SEED'] ?? 4711);
    const random = createRandom(seed);
    await using rig = await startRig({ access, backends: [], ready: false });
    const bad: string[] = [];
    for (let round = 0; round < (thorough ? 500 : 60); round += 1) {
      await Promise.all(Array.from({ length: 20 }, () => nonsense(random, rig, bad)));
    }
    expect(bad, `seed ${seed}`).toEqual([]);
    expect((await rig.calls.get('/healthz')).status).toBe(200);
  });
});
