import { inspect } from 'node:util';

import { expect, test } from 'vitest';

import { parseConfig } from '../src/config/parse-config.ts';

function parseServers(value: unknown) {
  const text = JSON.stringify({ COMFYUI_SERVERS: value });
  return parseConfig({ env: {}, cwd: '/srv', files: { configJson: { path: '/srv/config.json', text } } });
}

function serversOf(value: unknown) {
  const result = parseServers(value);
  if (!result.ok) throw new Error(result.problems.join('\n'));
  return result.config.backends.servers.map(({ name, url, token }) => [name, url, token?.reveal()]);
}

function problemsOf(value: unknown): readonly string[] {
  const result = parseServers(value);
  return result.ok ? [] : result.problems;
}

test('plain addresses, URLs, names and tokens are understood', () => {
  expect(
    serversOf(
      ' 10.0.0.1:8188, https://comfy.example/gpu-1/ ,, lap.top=host:1;token=a=b , [::1]:8188,\nHTTP://Host ',
    ),
  ).toEqual([
    ['backend-1', 'http://10.0.0.1:8188', undefined],
    ['backend-2', 'https://comfy.example/gpu-1', undefined],
    ['lap.top', 'http://host:1', 'a=b'],
    ['backend-4', 'http://[::1]:8188', undefined],
    ['backend-5', 'http://host', undefined],
  ]);
});

test('a list may hold texts and objects', () => {
  expect(serversOf(['a:1', { url: 'https://b', name: 'studio', token: 'x,y;z' }, { url: 'c:2' }])).toEqual([
    ['backend-1', 'http://a:1', undefined],
    ['studio', 'https://b', 'x,y;z'],
    ['backend-3', 'http://c:2', undefined],
  ]);
});

const pin = 'IyqnS0lk+Jk6bV1zVkP0ZP2yCQn0b8m1sV2PSwYzPzM=';

test('a pin may stand behind an https address, beside a token, and in the object form', () => {
  const text = `https://a;pin=sha256:${pin};token=t, b=https://b;token=t;pin=sha256:${pin}`;
  for (const value of [text, [{ url: 'https://a', token: 't', pin: `sha256:${pin}` }]]) {
    const result = parseServers(value);
    expect(result.ok && result.config.backends.servers[0]).toMatchObject({ url: 'https://a', pin });
  }
});

test.for([
  [`a:1;pin=sha256:${pin}`, 'a pin only with https://'],
  [`https://a;pin=${pin}`, 'a pin of sha256: and the base64'],
  ['https://a;pin=sha256:AAAA', 'a pin of sha256: and the base64'],
  [`https://a;pin=sha256:${pin.replace('M=', 'N=')}`, 'a pin of sha256: and the base64'],
  [`https://a;pin=sha256:${pin};pin=sha256:${pin}`, 'only ";token=SECRET" and ";pin=sha256:…"'],
] as const)('COMFYUI_SERVERS %s: allowed is %s', ([value, allowed]) => {
  expect(problemsOf(value)).toEqual([expect.stringContaining(`allowed: ${allowed}`)]);
});

test.for(['169.254.169.254:80', '[fe80::1]:8188', '0.0.0.0:8188', 'http://[::]:1', '224.0.0.1:8188'])(
  '%s is no address that a ComfyUI has',
  (value) => {
    expect(problemsOf(value)).toEqual([expect.stringContaining('not a link-local, metadata')]);
  },
);

test('BACKEND_NETWORKS is any, or a list of networks', () => {
  const networksOf = (text: string) => {
    const result = parseConfig({ env: { BACKEND_NETWORKS: text }, cwd: '/srv' });
    return result.ok ? result.config.backends.networks : result.problems;
  };
  expect(networksOf('any')).toBeUndefined();
  expect(networksOf('10.0.0.0/8, fd00::/8')).toEqual(['10.0.0.0/8', 'fd00::/8']);
  expect(networksOf('10.0.0.0/8, gpu.local')).toEqual([expect.stringContaining('"gpu.local"')]);
});

test('an empty fleet is possible', () => {
  expect(serversOf('none')).toEqual([]);
  expect(serversOf([])).toEqual([]);
});

test('the list of objects also works as JSON text in the environment', () => {
  const env = { COMFYUI_SERVERS: ' [{"url": "a:1", "token": "t"}]' };
  const result = parseConfig({ env, cwd: '/srv' });
  expect(result.ok && result.config.backends.servers[0]?.token?.reveal()).toBe('t');
});

test('without the option the fleet is empty', () => {
  const result = parseConfig({ env: {}, cwd: '/srv' });
  expect(result.ok && result.config.backends.servers).toEqual([]);
});

const form =
  'host:port, or a URL such as https://host:8188/base; "name=" may stand before it, ";token=SECRET" and ";pin=sha256:…" after it';
const noUser = 'no user name or password in the address; a token goes behind it: "https://host;token=SECRET"';
const object = 'a text, or an object {"url", "name", "token", "pin"} of texts with at least "url"';

test.for<[value: unknown, ...lines: string[]]>([
  ['localhost', `item 1 is "localhost", allowed: ${form}`],
  ['a:1, b:99999', `item 2 is "b:99999", allowed: ${form}`],
  ['a:0', `item 1 is "a:0", allowed: ${form}`],
  ['ws://a:1', `item 1 is "ws://a:1", allowed: ${form}`],
  ['::1:8188', 'item 1 is "::1:8188", allowed: an IPv6 address in brackets: [::1]:8188'],
  ['http://a/?x=1', 'item 1 is "http://a/?x=1", allowed: an address without "?" and "#"'],
  ['https://me:secret@a', `item 1 is "https://***@a", allowed: ${noUser}`],
  ['gpu=me:secret@a:1', `item 1 is "gpu=***@a:1", allowed: ${noUser}`],
  [
    'a:1;token=x;token=y',
    'item 1 is "a:1;token=***;token=***", allowed: only ";token=SECRET" and ";pin=sha256:…" after the address',
  ],
  [
    'a:1;tokn=secret',
    'item 1 is "a:1;tokn=***", allowed: only ";token=SECRET" and ";pin=sha256:…" after the address',
  ],
  ['a:1;secret', 'item 1 is "a:1;***", allowed: only ";token=SECRET" and ";pin=sha256:…" after the address'],
  ['a:1;token=x y', 'item 1 is "a:1;token=***", allowed: a token of printable ASCII without spaces'],
  [
    'a:1;token=half,other-half',
    `item 2 is "***", allowed: ${form}; a token with a comma needs the object form of config.json`,
  ],
  ['my gpu=a:1', 'item 1 is "my gpu=a:1", allowed: a name of 1 to 64 letters, digits, ".", "_", "-"'],
  ['=a:1', 'item 1 is "=a:1", allowed: a name of 1 to 64 letters, digits, ".", "_", "-"'],
  ['a:1, http://A:1/', 'item 2 is "http://A:1/", allowed: each server once'],
  ['x=a:1, x=b:1', 'item 2 is "x=b:1", allowed: each name once ("x" is taken)'],
  ['backend-2=a:1, b:1', 'item 2 is "b:1", allowed: each name once ("backend-2" is taken)'],
  [[7, ['a:1']], `item 1 is 7, allowed: ${object}`, `item 2 is a list, allowed: ${object}`],
  [[{ url: 'a:1', port: 2 }], `item 1 is an object with "port", allowed: ${object}`],
  [[{ name: 'a', token: 'secret' }], `item 1 is an object without a proper "url", allowed: ${object}`],
  [[{ url: 'a:1', token: 7 }], `item 1 is "a:1", allowed: ${object}`],
])('COMFYUI_SERVERS %j is refused', ([value, ...lines]) => {
  expect(problemsOf(value)).toEqual(lines.map((line) => `config.json: COMFYUI_SERVERS ${line}`));
});

test('what is no list at all is refused without being shown', () => {
  expect(problemsOf({ gpu: 'a:1;token=secret' })).toEqual([
    `config.json: COMFYUI_SERVERS is an object, allowed: none, or a list of ${form}`,
  ]);
  const result = parseConfig({ env: { COMFYUI_SERVERS: '[{"token": "secret"' }, cwd: '/srv' });
  expect(result.ok ? [] : result.problems).toEqual([
    `environment: COMFYUI_SERVERS is "***", allowed: none, or a list of ${form}`,
  ]);
});

test('printing the configuration shows no secret', () => {
  const env = { COMFYUI_SERVERS: 'a:1;token=hidden-token', OPERATOR_TOKEN: 'hidden-operator-token' };
  const result = parseConfig({ env, cwd: '/srv' });
  expect(result.ok && result.config.operator.token?.reveal()).toBe('hidden-operator-token');
  const printed = `${JSON.stringify(result)} ${inspect(result, { depth: 9, showHidden: true })}`;
  expect(printed).toContain('***');
  expect(printed).not.toContain('hidden');
});
