import type { Route } from '../src/http/list-routes.ts';
import { mutate } from './_mutate.ts';
import type { Random } from './_mutate.ts';

/** Header lines that parsers are known to read in different ways. */
const trickyLines = [
  ...[
    'Content-Length: 4',
    'Content-Length: 0',
    'Content-Length: +4',
    'Content-Length: -1',
    'Content-Length: 0x4',
  ],
  ...[
    'Content-Length: 4, 4',
    'Content-Length: 4 4',
    'Content-Length:\t4',
    'Content-Length : 4',
    'content-length: 04',
  ],
  ...[
    'Content-Length: 99999999999999999999',
    'Content-Length: 4e0',
    'Content-Length: ',
    ' Content-Length: 4',
  ],
  ...['Transfer-Encoding: chunked', 'Transfer-Encoding: identity', 'Transfer-Encoding: chunked, identity'],
  ...[
    'Transfer-Encoding: xchunked',
    'Transfer-Encoding : chunked',
    'Transfer-Encoding:\u000bchunked',
    'TRANSFER-ENCODING: CHUNKED',
  ],
  ...[
    'Transfer-Encoding: "chunked"',
    'Transfer-Encoding:\n chunked',
    'Transfer_Encoding: chunked',
    'X: y\r\nTransfer-Encoding: gzip, chunked',
  ],
  ...[
    'X: a\nTransfer-Encoding: chunked',
    'X: a\rTransfer-Encoding: chunked',
    'X: a\r\n folded',
    'X: \u0000',
    '\u0000: x',
    'X\u00ff: y',
  ],
  ...[
    'Upgrade: websocket\r\nConnection: Upgrade',
    'Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQ',
  ],
  ...[
    'Upgrade: websocket, h2c\r\nConnection: keep-alive, Upgrade',
    'Upgrade: TLS/1.0',
    'Connection: close',
    'Connection: keep-alive, close',
  ],
  ...[
    'Expect: 100-continue',
    'Expect: 200-ok',
    'Host: elsewhere',
    'Host:',
    'X-HTTP-Method-Override: GET',
    'X-Original-URL: /healthz',
  ],
  ...[
    'X-Rewrite-URL: /healthz',
    'X-Forwarded-For: 127.0.0.1',
    'X-Forwarded-Host: x',
    'X-Forwarded-Prefix: /healthz',
    'Forwarded: for=127.0.0.1',
  ],
  ...[
    'Authorization: Bearer',
    'Authorization: Bearer x',
    'Authorization: Basic Og==',
    'X-API-Key: ',
    'X-API-Key: cbk_a_b',
    'Cookie: key=x',
  ],
  ...[
    'Origin: null',
    'Origin: http://127.0.0.1',
    'Access-Control-Request-Method: GET',
    'Range: bytes=0-0',
    'Range: bytes=0-1,0-2,0-3',
  ],
  ...[
    'Trailer: X-API-Key',
    'TE: trailers',
    'Prefer: wait=1',
    'Content-Encoding: gzip',
    'Content-Encoding: br',
    'Accept-Encoding: gzip',
  ],
];

const methods = [
  ...[
    'GET',
    'HEAD',
    'POST',
    'PUT',
    'PATCH',
    'DELETE',
    'OPTIONS',
    'TRACE',
    'CONNECT',
    'PROPFIND',
    'QUERY',
    'SEARCH',
    'M-SEARCH',
  ],
  ...['PURGE', 'SOURCE', 'PRI', 'get', 'G\tET', 'GETGETGETGET', 'LINK', 'UNLOCK', 'DESCRIBE'],
];

const versions = [
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/0.9',
  'HTTP/2.0',
  'HTTP/1.01',
  'http/1.1',
  'RTSP/1.0',
  '',
];

/** What makes of a path one that looks open, or another spelling of itself. */
const pathTricks: readonly ((path: string, random: Random) => string)[] = [
  (path) => `/healthz/..${path}`,
  (path) => `/healthz/%2e%2e${path}`,
  (path) => `/healthz%2f..${path}`,
  (path) => `/healthz;${path}`,
  (path) => `/healthz%00${path}`,
  (path) => `/healthz?${path}`,
  (path) => `/healthz#${path}`,
  (path) => `/healthz\\..${path}`,
  (path) => `/${path}`,
  (path) => `${path}/`,
  (path) => `${path}/..//.`,
  (path) => `${path}?ticket=x&ticket[]=y`,
  (path) => `${path}%`,
  (path) => `${path}%E0%A4%A`,
  (path) => `${path}%c0%ae`,
  (path) => `${path}\u00e9\u00ff`,
  (path) => path.replace('/', '/./'),
  (path) => path.replaceAll('/', '%2F'),
  (path) => path.replaceAll('/', '\\'),
  (path) => path.toUpperCase(),
  (path) => `http://elsewhere${path}`,
  (path) => `https://user:password@healthz:99999${path}`,
  (path) => `//healthz${path}`,
  () => '*',
  () => 'healthz:80',
  () => '',
  (path, random) => `${path}${'/a'.repeat(random.int(9_000))}`,
  (path, random) => `${path}?${'x=1&'.repeat(random.int(3_000))}`,
];

const bodies = [
  '',
  '',
  'abcd',
  '{"workflow": "text-to-image"}',
  '4\r\nabcd\r\n0\r\n\r\n',
  '0\r\n\r\n',
  '4;a=b\r\nabcd\r\n0\r\nX-API-Key: x\r\n\r\n',
];

/** A request to one of the routes as a client might write it. */
function writeRequest(routes: readonly Route[], random: Random): string {
  const { method, path } = random.pick(routes);
  const name = random.int(4) === 0 ? random.pick(methods) : method.replace('_all', 'post').toUpperCase();
  const plain = random.pick([
    '/healthz',
    '/ws?clientId=a',
    ...Array<string>(6).fill(path.replaceAll(/:\w+/g, 'a')),
  ]);
  const target = random.int(2) === 0 ? plain : random.pick(pathTricks)(plain, random);
  const lines = Array.from({ length: random.pick([0, 0, 1, 1, 2, 3]) }, () => random.pick(trickyLines));
  if (random.int(200) === 0) lines.push(...Array<string>(random.int(4_000)).fill('a: b'));
  const body = random.pick(bodies);
  if (body !== '' && random.int(2) === 0) lines.push(`Content-Length: ${body.length}`);
  const version = random.int(8) === 0 ? random.pick(versions) : 'HTTP/1.1';
  return `${name} ${target} ${version}\r\n${['Host: x', ...lines].join('\r\n')}\r\n\r\n${body}`;
}

/** One to three requests on one connection, in every second case changed byte by byte, in pieces. */
export function writeStrangersBytes(routes: readonly Route[], random: Random): Buffer[] {
  const texts = Array.from({ length: random.pick([1, 1, 2, 3]) }, () => writeRequest(routes, random));
  const written = Buffer.from(texts.join(''), 'latin1');
  const bytes =
    random.int(2) === 0
      ? written
      : mutate(written, random, [written, Buffer.from(writeRequest(routes, random), 'latin1')]);
  return cut(bytes, random);
}

/** In one piece, two, or a few. */
export function cut(bytes: Buffer, random: Random): Buffer[] {
  const places = Array.from({ length: random.pick([0, 0, 1, 4]) }, () =>
    random.int(bytes.length + 1),
  ).toSorted((a, b) => a - b);
  return [0, ...places].map((from, index) => bytes.subarray(from, places[index] ?? bytes.length));
}
