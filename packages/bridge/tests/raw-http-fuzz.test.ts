import { expect, test } from 'vitest';

import { bearer, createKey, operatorToken, startKeyed } from './_keys.ts';
import { createRandom } from './_mutate.ts';
import type { Random } from './_mutate.ts';
import { exchange } from './_raw-http.ts';
import type { Exchange, RawReply } from './_raw-http.ts';
import { cut, writeStrangersBytes } from './_raw-requests.ts';
import { expectNoSecrets } from './_requests.ts';

const cases = Number(process.env['FUZZ_CASES'] ?? 1_500);
const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const atOnce = 8;
const long = { timeout: 30_000 + cases * 20 };

const health = '{"status":"ok"}';
const readiness = '{"status":"ready","backends":{"ready":1,"all":1}}';

/** What a stranger may be told. The empty ones are Node's own, from before a request is one. */
const refusals = new Map<number, RegExp>([
  [400, /^(\{"(detail|error)":.*(a request may have (200 headers|one Host header)|cannot be read).*\})?$/],
  [
    401,
    /^(\{"detail":"[^"]*\b(key|ticket)\b[^"]*"\}|\{"error":\{"code":"unauthorized","message":"[^"]*\b(key|ticket)\b[^"]*"\}\})?$/,
  ],
  // Links are for whoever has one, and the page is the same for everybody; nobody guesses the names of either's files.
  [404, /^(\{.*"(there is no such link, or it is over|the page has no such file)"\}\}?)?$/],
  [408, /^$/],
  [413, /^$/],
  [417, /^$/],
  [
    422,
    /^(\{"error":\{"code":"invalid_request","message":"a request may have (200 headers|one Host header)"\}\})?$/,
  ],
  [429, /^(\{.*"too many wrong keys came from your address: try again later".*\})?$/],
  [431, /^$/],
]);

/** The page itself, built or not, and with the tag that browsers keep it by. */
function isPage({ status, headers, body }: RawReply): boolean {
  const isWhole = status === 200 && (body === '' || /^<!doctype html>/i.test(body));
  return isWhole && headers.get('content-type')?.startsWith('text/html') === true;
}

function findFault(reply: RawReply, sent: string): string | undefined {
  const { status, headers, body } = reply;
  if (isPage(reply)) return undefined;
  for (const name of ['server', 'x-powered-by', 'via', 'etag', 'set-cookie', 'allow', 'location'])
    if (headers.has(name)) return `it has ${name}`;
  if (status === 100) return undefined;
  if (status === 200)
    // HEAD has no body.
    return /healthz|readyz/i.test(sent) && [health, readiness, ''].includes(body) ? undefined : `200 ${body}`;
  // What browsers ask before they may send a key at all: answered the same for whatever is there or not.
  if (status === 204) return /access-control-request-method/i.test(sent) && body === '' ? undefined : '204';
  return refusals.get(status)?.test(body) === true ? undefined : `${status} ${body}`;
}

async function inLanes(
  count: number,
  work: (random: Random, number: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  async function lane(): Promise<void> {
    while (next < count) {
      const number = next++;
      await work(createRandom(seed + number * 7_919), number).catch((cause: unknown) => {
        next = count;
        throw new Error(`case ${number}, FUZZ_SEED=${seed}`, { cause });
      });
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane));
}

test(`a stranger gets health and refusals, whatever bytes come (FUZZ_SEED=${seed})`, long, async () => {
  await using t = await startKeyed();
  const statuses = new Map<number, number>();
  await inLanes(cases, async (random) => {
    const pieces = writeStrangersBytes(t.bridge.routes, random);
    const sent = Buffer.concat(pieces).toString('latin1');
    const { replies, rest } = await exchange(t.url, pieces);
    expect(rest, JSON.stringify(sent)).toBe('');
    for (const reply of replies) {
      statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1);
      expect(findFault(reply, sent), JSON.stringify(sent.slice(0, 3_000))).toBeUndefined();
    }
  });
  if (cases > 5_000)
    process.stdout.write(`raw requests: ${cases}, answers: ${JSON.stringify([...statuses])}\n`);
  for (const status of [200, 400, 401]) expect(statuses.get(status), String(status)).toBeGreaterThan(0);
  expect((await t.get('/healthz')).status).toBe(200);
  expect(t.errors).toEqual([]);
});

/** A request whose answer says which one it was. */
function writeMarked(random: Random, number: number): { bytes: string; wanted: RegExp } {
  const marker = `m${number}x${random.int(1e6)}`;
  const key = random.pick(['', '', `Authorization: Bearer ${operatorToken}\r\n`]);
  const inside = `GET /smuggled HTTP/1.1\r\nHost: x\r\n${key}\r\n`;
  const body = random.pick(['', '', inside, inside.repeat(20), 'x'.repeat(random.int(5_000))]);
  const framing =
    random.int(2) === 0
      ? { line: `Content-Length: ${body.length}`, body }
      : { line: 'Transfer-Encoding: chunked', body: toChunks(body, random) };
  const method = random.pick(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']);
  const bytes = `${method} /${marker} HTTP/1.1\r\nHost: x\r\n${key}${framing.line}\r\n\r\n${framing.body}`;
  return {
    bytes,
    wanted: key === '' ? /^\{"detail":"this needs a key/ : new RegExp(`no ${method} /${marker}"`),
  };
}

function toChunks(body: string, random: Random): string {
  let written = '';
  for (let at = 0; at < body.length;) {
    const piece = body.slice(at, at + 1 + random.int(900));
    written += `${piece.length.toString(16)}${random.pick(['', ';a=b', ';a="\\""'])}\r\n${piece}\r\n`;
    at += piece.length;
  }
  return `${written}0\r\n${random.pick(['', 'X-Trailer: x\r\n', `Authorization: Bearer ${operatorToken}\r\n`])}\r\n`;
}

test(
  `requests in a row are answered in order, each once and by its own key (FUZZ_SEED=${seed})`,
  long,
  async () => {
    await using t = await startKeyed();
    await inLanes(Math.ceil(cases / 10), async (random) => {
      const requests = Array.from({ length: 1 + random.int(20) }, (_, number) => writeMarked(random, number));
      const last = `GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
      const bytes = Buffer.from(requests.map((request) => request.bytes).join('') + last);
      const { replies, rest } = await exchange(t.url, cut(bytes, random));
      expect(rest).toBe('');
      expect(replies).toHaveLength(requests.length + 1);
      for (const [index, { wanted }] of requests.entries()) expect(replies[index]?.body).toMatch(wanted);
      expect(replies.at(-1)).toMatchObject({ status: 200, body: health });
    });
    expect(t.errors).toEqual([]);
  },
);

const head = 'POST /healthz HTTP/1.1\r\nHost: x\r\n';
const smuggled = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n';

/** Of each the statuses, and nothing of what lies in it. */
const framings: readonly (readonly [what: string, bytes: string, statuses: readonly number[]])[] = [
  [
    'both lengths (CL.TE)',
    `${head}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    [400],
  ],
  [
    'both lengths (TE.CL)',
    `${head}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
    [400],
  ],
  [
    'two encodings',
    `${head}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${smuggled}`,
    [400],
  ],
  [
    'chunked that is not last',
    `${head}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${smuggled}`,
    [400],
  ],
  ['an unknown encoding', `${head}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`, [401]],
  ['a blank before the colon', `${head}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${smuggled}`, [400]],
  ['a vertical tab before it', `${head}Transfer-Encoding:\u000bchunked\r\n\r\n0\r\n\r\n${smuggled}`, [400]],
  ['two lengths that differ', `${head}Content-Length: 0\r\nContent-Length: 3\r\n\r\n${smuggled}`, [400]],
  ['two lengths that agree', `${head}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`, [400]],
  ['a list of lengths', `${head}Content-Length: 3, 3\r\n\r\nabc`, [400]],
  ...['+3', '-3', '0x3', '3 3', '3\u00a0', '', '9'.repeat(25), '3.0', '3e0', '३'].map(
    (length) =>
      [`the length ${JSON.stringify(length)}`, `${head}Content-Length: ${length}\r\n\r\nabc`, [400]] as const,
  ),
  ...['+3', '-3', '0x3', ' 3', '', 'g', 'f'.repeat(17)].map(
    (size) =>
      [
        `the chunk size ${JSON.stringify(size)}`,
        `${head}Transfer-Encoding: chunked\r\n\r\n${size}\r\nabc\r\n0\r\n\r\n`,
        [401],
      ] as const,
  ),
  ['a chunk that ends elsewhere', `${head}Transfer-Encoding: chunked\r\n\r\n3\r\nabcXX0\r\n\r\n`, [401, 400]],
  ['a chunk size that ends in LF', `${head}Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n`, [401]],
  ['a header that ends in LF', `${head}X: y\nContent-Length: 3\r\n\r\nabc`, [400]],
  ['a header that ends in CR', `${head}X: y\rContent-Length: 3\r\n\r\nabc`, [400]],
  ['a folded header', `${head}Content-Length:\r\n 3\r\n\r\nabc`, [400]],
  ['NUL in a value', `${head}X: a\0b\r\n\r\n`, [400]],
  ['NUL in a name', `${head}X\0: b\r\n\r\n`, [400]],
  ['a high byte in a name', `${head}X\u00ff: b\r\n\r\n`, [400]],
  ['no host', 'GET /healthz HTTP/1.1\r\n\r\n', [400]],
  ['two hosts', 'GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n', [400]],
  ['a long request line', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, [431]],
  ['a large header', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`, [431]],
  ['many headers', `GET / HTTP/1.1\r\nHost: x\r\n${'a: b\r\n'.repeat(400)}\r\n`, [400]],
  ['HTTP/2 without TLS', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400]],
  ['a tunnel', 'CONNECT healthz:80 HTTP/1.1\r\nHost: x\r\n\r\n', []],
];

test.each(framings)('%s: what lies in it is never a request', async (_what, bytes, statuses) => {
  await using t = await startKeyed({ sims: 0 });
  const { replies, rest } = await exchange(t.url, [Buffer.from(bytes, 'latin1')]);
  expect(rest).toBe('');
  expect(replies.map(({ status }) => status)).toEqual(statuses);
  for (const { body } of replies) expectNoSecrets(body);
});

const statusesOf = ({ replies }: Exchange) => replies.map(({ status }) => status);
const upgradeTo = (protocol: string) =>
  `Connection: Upgrade, HTTP2-Settings\r\nUpgrade: ${protocol}\r\nHTTP2-Settings: AAMAAABk\r\n`;

test.each(['h2c', 'TLS/1.0', 'foo/2, h2c', 'websockets'])(
  'an offer of %s is passed over: the request is answered as any other',
  async (protocol) => {
    await using t = await startKeyed({ sims: 0 });
    const { key } = await createKey(t);
    const ask = async (path: string, secret: string) =>
      statusesOf(
        await exchange(t.url, [
          Buffer.from(`GET ${path} HTTP/1.1\r\nHost: x\r\n${upgradeTo(protocol)}${secret}\r\n`),
        ]),
      );
    expect(await ask('/healthz', '')).toEqual([200]);
    expect(await ask('/workflow-list', '')).toEqual([401]);
    expect(await ask('/workflow-list', `Authorization: ${bearer(key).authorization}\r\n`)).toEqual([200]);
  },
);

test('a WebSocket asked for behind a request that is not answered yet does not take over its connection', async () => {
  await using t = await startKeyed({ sims: 0 });
  const { key } = await createKey(t);
  const first = `GET /workflow-list HTTP/1.1\r\nHost: x\r\nX-API-Key: ${key}\r\n\r\n`;
  const second = `GET /ws?clientId=a HTTP/1.1\r\nHost: x\r\n${upgradeTo('websocket')}\r\n`;
  for (const repeated of [1, 5]) {
    const answers = await exchange(t.url, [Buffer.from(first.repeat(repeated) + second)]);
    expect(statusesOf(answers)).toEqual([...Array<number>(repeated).fill(200), 401]);
    expect(answers.rest).toBe('');
  }
});
