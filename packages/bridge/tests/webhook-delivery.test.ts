import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer as createTlsServer } from 'node:https';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

import { expect, test } from 'vitest';

import { createAddressExceptions } from '../src/lib/check-address.ts';
import { createWebhookDelivery, parseRetryAfter } from '../src/webhooks/deliver-webhook.ts';
import type { DeliveryDeps, DeliveryOptions } from '../src/webhooks/deliver-webhook.ts';
import { createHostResolver } from '../src/lib/resolve-host.ts';
import type { ResolveHost } from '../src/lib/resolve-host.ts';
import { startEndpoint, testSecret, verifyWebhook } from './_webhook-endpoint.ts';

const body = JSON.stringify({
  type: 'job.succeeded',
  data: { name: 'Größe 🐢', seed: '18446744073709551615' },
});

function deliveryOf(given: Partial<DeliveryDeps> & { allow?: string[] } = {}, options?: DeliveryOptions) {
  const { allow = ['127.0.0.0/8'], ...deps } = given;
  const exceptions = createAddressExceptions(allow);
  const deliver = createWebhookDelivery(
    { defaultSecret: undefined, exceptions, userAgent: 'comfy-bridge/1.2.3', now: Date.now, ...deps },
    options,
  );
  return (
    url: string,
    {
      secret = testSecret,
      signal = new AbortController().signal,
    }: { secret?: string | null; signal?: AbortSignal } = {},
  ) => deliver({ url, secret, eventId: 'msg_1', body }, signal);
}

const resolveTo =
  (...addresses: string[]): ResolveHost =>
  async () =>
    addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));

test('an event arrives as it was given, signed so that the library of Standard Webhooks accepts it', async () => {
  await using endpoint = await startEndpoint();
  expect(await deliveryOf()(endpoint.url)).toEqual({ kind: 'delivered' });
  const [request] = endpoint.received;
  expect(request).toMatchObject({
    method: 'POST',
    path: '/hook?key=1',
    body,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'comfy-bridge/1.2.3',
      'webhook-id': 'msg_1',
      connection: 'close',
    },
  });
  expect(verifyWebhook(request!)).toEqual(JSON.parse(body));
  expect(() => verifyWebhook({ ...request!, body: `${body} ` })).toThrow(/No matching signature/);
  expect(() => verifyWebhook(request!, `whsec_${Buffer.alloc(32).toString('base64')}`)).toThrow(
    /No matching signature/,
  );
});

test('who brings no secret gets the signature of the bridge', async () => {
  await using endpoint = await startEndpoint();
  const deliver = deliveryOf({ defaultSecret: testSecret });
  expect(await deliver(endpoint.url, { secret: null })).toEqual({ kind: 'delivered' });
  expect(verifyWebhook(endpoint.received[0]!)).toEqual(JSON.parse(body));
  expect(await deliveryOf()(endpoint.url, { secret: null })).toMatchObject({
    kind: 'failed',
    reason: 'no secret to sign with',
  });
  expect(endpoint.received).toHaveLength(1);
});

test('each try has its own time and the same id', async () => {
  await using endpoint = await startEndpoint();
  let time = Date.now() - 100_000;
  const deliver = deliveryOf({ now: () => time });
  await deliver(endpoint.url);
  time += 60_000;
  await deliver(endpoint.url);
  const [first, second] = endpoint.received.map(({ headers }) => headers);
  expect(second!['webhook-id']).toBe(first!['webhook-id']);
  expect(Number(second!['webhook-timestamp']) - Number(first!['webhook-timestamp'])).toBe(60);
  for (const request of endpoint.received) verifyWebhook(request);
});

test.for([
  [200, { kind: 'delivered' }],
  [202, { kind: 'delivered' }],
  [299, { kind: 'delivered' }],
  [410, { kind: 'gone' }],
  [304, { kind: 'failed', reason: 'answered 304' }],
  [400, { kind: 'failed', reason: 'answered 400' }],
  [404, { kind: 'failed', reason: 'answered 404' }],
  [500, { kind: 'failed', reason: 'answered 500' }],
] as const)('an answer of %i means %j', async ([status, outcome]) => {
  await using endpoint = await startEndpoint((response) => response.writeHead(status).end());
  expect(await deliveryOf()(endpoint.url)).toMatchObject(outcome);
});

test('how long an endpoint wants to be left alone counts with 429 and 503 only', async () => {
  const statuses = [429, 503, 500];
  await using endpoint = await startEndpoint((response, nth) =>
    response.writeHead(statuses[nth - 1] ?? 200, { 'retry-after': '120' }).end(),
  );
  const deliver = deliveryOf();
  expect(await deliver(endpoint.url)).toMatchObject({ reason: 'answered 429', retryAfterMs: 120_000 });
  expect(await deliver(endpoint.url)).toMatchObject({ reason: 'answered 503', retryAfterMs: 120_000 });
  expect(await deliver(endpoint.url)).toEqual({
    kind: 'failed',
    reason: 'answered 500',
    retryAfterMs: undefined,
  });
});

test.for([
  ['90', 90_000],
  ['Wed, 21 Oct 2015 07:28:00 GMT', 60_000],
  ['Wed, 21 Oct 2015 07:00:00 GMT', 0],
  ['soon', undefined],
  ['-5', undefined],
  ['1e3', undefined],
  ['99999999999', undefined],
  [undefined, undefined],
  [['1', '2'], undefined],
] as const)('Retry-After %j is %j ms', ([value, ms]) => {
  const now = Date.parse('2015-10-21T07:27:00Z');
  expect(parseRetryAfter(value as string | string[] | undefined, now)).toBe(ms);
});

test.for([301, 302, 303, 307, 308])('a redirect (%i) is a failure and is not followed', async (status) => {
  await using inner = await startEndpoint();
  await using endpoint = await startEndpoint((response) =>
    response.writeHead(status, { location: inner.url }).end(),
  );
  expect(await deliveryOf()(endpoint.url)).toMatchObject({ kind: 'failed', reason: `answered ${status}` });
  expect(inner.connections()).toBe(0);
});

test('an endpoint that hangs costs no more than the deadline', async () => {
  await using endpoint = await startEndpoint(() => {});
  const outcome = await deliveryOf({}, { deadlineMs: 100 })(endpoint.url);
  expect(outcome).toMatchObject({ kind: 'failed', reason: 'no answer in time' });
});

test.for(['http', 'https'])(
  'a name server that hangs costs no more than the deadline (%s)',
  async (scheme) => {
    const resolveHost: ResolveHost = () => new Promise(() => {});
    const deliver = deliveryOf({ resolveHost }, { deadlineMs: 100 });
    const outcome = await deliver(`${scheme}://hook.example/`);
    expect(outcome).toMatchObject({ kind: 'failed', reason: 'no answer in time' });
  },
);

test('a name server that keeps silent is given up with the try', async () => {
  const server = createSocket('udp4');
  const asked = once(server, 'message');
  await once(server.bind(0, '127.0.0.1'), 'listening');
  const servers = [`127.0.0.1:${server.address().port}`];
  const resolveHost = createHostResolver(createAddressExceptions([]), { servers });
  const stop = new AbortController();
  const addresses = resolveHost('hook.example', stop.signal);
  await asked;
  stop.abort();
  await expect(addresses).rejects.toMatchObject({ code: 'ECANCELLED' });
  server.close();
});

test.for(['http', 'https'])('a stop ends a try that is not connected yet (%s)', async (scheme) => {
  const stop = new AbortController();
  const asked = Promise.withResolvers<void>();
  const resolveHost: ResolveHost = () => {
    asked.resolve();
    return new Promise(() => {});
  };
  const outcome = deliveryOf({ resolveHost })(`${scheme}://hook.example/`, { signal: stop.signal });
  await asked.promise;
  stop.abort();
  expect(await outcome).toMatchObject({ kind: 'failed' });
});

test('a TLS handshake that never ends costs no more than the deadline', async () => {
  const server = createServer((socket) => socket.on('error', () => {}).resume());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const outcome = await deliveryOf({}, { deadlineMs: 100 })(`https://127.0.0.1:${port}/`);
  expect(outcome).toMatchObject({ kind: 'failed', reason: 'no answer in time' });
  await new Promise((resolve) => server.close(resolve));
});

test('an endpoint that closes the connection has not been told', async () => {
  await using endpoint = await startEndpoint((response) => response.destroy());
  expect(await deliveryOf()(endpoint.url)).toMatchObject({ kind: 'failed', reason: 'UND_ERR_SOCKET' });
});

test('nobody at the address is a failure', async () => {
  const endpoint = await startEndpoint();
  await endpoint[Symbol.asyncDispose]();
  expect(await deliveryOf()(endpoint.url)).toMatchObject({ kind: 'failed', reason: 'ECONNREFUSED' });
});

test('of an answer of a gigabyte little is read, and the connection is closed', async () => {
  const closed = Promise.withResolvers<number>();
  await using endpoint = await startEndpoint((response) => {
    const block = Buffer.alloc(64 * 1024);
    let sent = 0;
    response.writeHead(200, { 'content-length': 1024 ** 3 });
    const send = () => {
      while (sent < 1024 ** 3 && !response.destroyed) {
        sent += block.length;
        if (!response.write(block)) return void response.once('drain', send);
      }
    };
    response.once('close', () => closed.resolve(sent));
    send();
  });
  expect(await deliveryOf()(endpoint.url)).toEqual({ kind: 'delivered' });
  // What is in the buffers of both ends comes on top.
  expect(await closed.promise).toBeLessThan(32 * 1024 * 1024);
});

test('an answer that drips for ever is cut at the deadline, and its status counts', async () => {
  const closed = Promise.withResolvers<void>();
  await using endpoint = await startEndpoint((response, nth) => {
    response.writeHead(nth === 1 ? 200 : 500, { 'content-length': 1024 ** 3 });
    const timer = setInterval(() => response.write('.'), 5);
    response.once('close', () => {
      clearInterval(timer);
      closed.resolve();
    });
  });
  const deliver = deliveryOf({}, { deadlineMs: 150 });
  expect(await deliver(endpoint.url)).toEqual({ kind: 'delivered' });
  await closed.promise;
  expect(await deliver(endpoint.url)).toMatchObject({ kind: 'failed', reason: 'answered 500' });
});

test('endless headers are refused', async () => {
  await using endpoint = await startEndpoint((response) => {
    response.socket?.write(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(100_000)}\r\n`);
  });
  expect(await deliveryOf()(endpoint.url)).toMatchObject({
    kind: 'failed',
    reason: 'UND_ERR_HEADERS_OVERFLOW',
  });
});

test('a stop ends a try that is under way', async () => {
  await using endpoint = await startEndpoint(() => {});
  const stop = new AbortController();
  const outcome = deliveryOf()(endpoint.url, { signal: stop.signal });
  await endpoint.waitFor(1);
  stop.abort();
  expect(await outcome).toMatchObject({ kind: 'failed' });
});

test.for(['127.0.0.1', '0x7f.1', '2130706433', '127.1', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]'])(
  'nothing connects to %s unless an operator allows it',
  async (host) => {
    await using endpoint = await startEndpoint();
    const url = `http://${host}:${endpoint.port}/`;
    const outcome = await deliveryOf({ allow: [] })(url);
    expect(outcome).toMatchObject({ kind: 'failed', reason: 'refused address: loopback' });
    expect(endpoint.connections()).toBe(0);
  },
);

test.for([
  [['127.0.0.1'], 'loopback'],
  [['::ffff:127.0.0.1'], 'loopback'],
  [['8.8.8.8', '127.0.0.1'], 'loopback'],
  [['127.0.0.1', '8.8.8.8'], 'loopback'],
  [['2606:4700::1111', 'fd00::1'], 'uniqueLocal'],
  [['169.254.169.254'], 'linkLocal'],
] as const)('a name with the addresses %j is refused as a whole', async ([addresses, kind]) => {
  await using endpoint = await startEndpoint();
  const deliver = deliveryOf({ allow: [], resolveHost: resolveTo(...addresses) });
  const outcome = await deliver(`http://hook.example:${endpoint.port}/`);
  expect(outcome).toMatchObject({ kind: 'failed', reason: `refused address: ${kind}` });
  expect(endpoint.connections()).toBe(0);
});

test('a name is looked up for every connection, and what was found then is what is called', async () => {
  await using endpoint = await startEndpoint();
  const answers = [['127.0.0.1'], ['10.0.0.1'], ['127.0.0.1']];
  const asked: string[] = [];
  const resolveHost: ResolveHost = async (host) => {
    asked.push(host);
    return (answers[asked.length - 1] ?? []).map((address) => ({ address, family: 4 }));
  };
  const deliver = deliveryOf({ resolveHost });
  const url = `http://hook.example:${endpoint.port}/`;
  expect(await deliver(url)).toEqual({ kind: 'delivered' });
  expect(await deliver(url)).toMatchObject({ reason: 'refused address: private' });
  expect(await deliver(url)).toEqual({ kind: 'delivered' });
  expect(await deliver(url)).toMatchObject({ kind: 'failed' });
  expect(asked).toEqual(Array.from({ length: 4 }, () => 'hook.example'));
  expect(endpoint.received.map(({ headers }) => headers.host)).toEqual([
    `hook.example:${endpoint.port}`,
    `hook.example:${endpoint.port}`,
  ]);
});

test('a name that an operator allows is resolved as the system does it', async () => {
  await using endpoint = await startEndpoint();
  const url = `http://localhost:${endpoint.port}/`;
  expect(await deliveryOf({ allow: ['localhost'] })(url)).toEqual({ kind: 'delivered' });
});

test('a certificate that nobody vouches for is refused, whatever the environment says', async () => {
  let requests = 0;
  const server = createTlsServer({ key, cert }, (_request, response) => {
    requests += 1;
    response.end();
  });
  server.on('tlsClientError', () => {});
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  try {
    const outcome = await deliveryOf()(`https://127.0.0.1:${port}/`);
    expect(outcome).toMatchObject({ kind: 'failed', reason: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    expect(requests).toBe(0);
  } finally {
    delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    await new Promise((resolve) => server.close(resolve));
  }
});

test('names of strangers are asked of name servers, both kinds of address at once', async () => {
  const server = createSocket('udp4');
  const asked: number[] = [];
  server.on('message', (query, { port, address }) => {
    const end = query.indexOf(0, 12) + 5;
    const type = query.readUInt16BE(end - 4);
    asked.push(type);
    server.send(answerOf(query.subarray(0, end), type), port, address);
  });
  await once(server.bind(0, '127.0.0.1'), 'listening');
  const { port } = server.address();
  const resolveHost = createHostResolver(createAddressExceptions([]), { servers: [`127.0.0.1:${port}`] });
  try {
    expect(await resolveHost('hook.example', new AbortController().signal)).toEqual([
      { address: '8.8.8.8', family: 4 },
      { address: 'fd00::1', family: 6 },
    ]);
    expect(new Set(asked)).toEqual(new Set([1, 28]));
    const deliver = deliveryOf({ allow: [], resolveHost });
    expect(await deliver('http://hook.example/')).toMatchObject({ reason: 'refused address: uniqueLocal' });
  } finally {
    server.close();
  }
});

/** One record for the question: 8.8.8.8 for A (1), fd00::1 for AAAA (28). RFC 1035, 4. */
function answerOf(query: Buffer, type: number): Buffer {
  const data = type === 1 ? Buffer.from([8, 8, 8, 8]) : Buffer.from(`fd00${'0'.repeat(27)}1`, 'hex');
  const head = Buffer.from(query);
  head.writeUInt16BE(0x8180, 2);
  head.writeUInt16BE(1, 6);
  head.writeUInt32BE(0, 8);
  const record = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, data.length]);
  return Buffer.concat([head, record, data]);
}

// For localhost, made for this test: `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes …`.
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg91dcJPTcL3BM0U2Z
z/f7406u5kd4e/QvWYJ1ZfFSFQShRANCAAT6BwX6OpUiReEm5T8Z3eO2P3wGsyY5
+mKfubj5VF/FPdlIxulNHJK0EBFNbY2BjERZpeffcQ+3AtG1ti6F5mOX
-----END PRIVATE KEY-----`;
const cert = `-----BEGIN CERTIFICATE-----
MIIBnDCCAUGgAwIBAgIUXb6+zH1fPShAUsxFOV5oUhW4IPMwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTE0NTMwOFoYDzIxMjYxMDI4
MTQ1MzA4WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAT6BwX6OpUiReEm5T8Z3eO2P3wGsyY5+mKfubj5VF/FPdlIxulNHJK0
EBFNbY2BjERZpeffcQ+3AtG1ti6F5mOXo28wbTAdBgNVHQ4EFgQUB/54umHQdNYQ
mz6o/COYCTk/c+UwHwYDVR0jBBgwFoAUB/54umHQdNYQmz6o/COYCTk/c+UwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSQAwRgIhAKZ4WJfdKdKwtZ4B31QBB1RU8xlFui2KqCj39r7Om3EgAiEA
tWGvhTefFjiu9JgB8J/TdjzubS1dk12+kEUgVVQuoGM=
-----END CERTIFICATE-----`;
