import { expect, test } from 'vitest';

import { parseConfig } from '../src/config/parse-config.ts';

const cwd = '/srv/bridge';

function problemsOf(env: Record<string, string>): readonly string[] {
  const result = parseConfig({ env, cwd });
  return result.ok ? [] : result.problems;
}

function problemsOfJson(config: unknown): readonly string[] {
  const files = { configJson: { path: '/srv/bridge/config.json', text: JSON.stringify(config) } };
  const result = parseConfig({ env: {}, cwd, files });
  return result.ok ? [] : result.problems;
}

function configOf(env: Record<string, string>) {
  const result = parseConfig({ env, cwd });
  if (!result.ok) throw new Error(result.problems.join('\n'));
  return result.config;
}

const host = 'an IP address or a host name, without a port (0.0.0.0 for every IPv4 address of this machine)';
const port = 'a whole number from 0 to 65535';
const level = 'DEBUG, INFO, WARNING, ERROR or CRITICAL, or a number from 10 (DEBUG) to 50 (CRITICAL)';
const origins = 'none, *, or a list of origins such as https://studio.example:8443';
const proxies =
  'none, the number of proxies in front (1 to 10), or a list of addresses, networks such as 10.0.0.0/8, or loopback';

test.for([
  ['HOST', 'localhost:8000', `environment: HOST is "localhost:8000", allowed: ${host}`],
  ['HOST', '300.1.1.1', `environment: HOST is "300.1.1.1", allowed: ${host}`],
  ['HOST', 'http://localhost', `environment: HOST is "http://localhost", allowed: ${host}`],
  ['PORT', 'eighty', `environment: PORT is "eighty", allowed: ${port}`],
  ['PORT', '65536', `environment: PORT is "65536", allowed: ${port}`],
  ['PORT', '80.5', `environment: PORT is "80.5", allowed: ${port}`],
  ['PORT', '0x50', `environment: PORT is "0x50", allowed: ${port}`],
  ['BASE_PATH', 'comfy', 'environment: BASE_PATH is "comfy", allowed: a path such as /comfy'],
  ['BASE_PATH', '/a/../b', 'environment: BASE_PATH is "/a/../b", allowed: a path such as /comfy'],
  ['TRUST_PROXY', 'true', `environment: TRUST_PROXY is "true", allowed: ${proxies}`],
  ['TRUST_PROXY', '11', `environment: TRUST_PROXY is "11", allowed: ${proxies}`],
  ['TRUST_PROXY', '10.0.0.0/33', `environment: TRUST_PROXY is "10.0.0.0/33", allowed: ${proxies}`],
  [
    'CORS_ORIGINS',
    'https://a.example/page',
    `environment: CORS_ORIGINS is "https://a.example/page", allowed: ${origins}`,
  ],
  ['CORS_ORIGINS', 'a.example', `environment: CORS_ORIGINS is "a.example", allowed: ${origins}`],
  ['LOGGING_LEVEL', 'LOUD', `environment: LOGGING_LEVEL is "LOUD", allowed: ${level}`],
  ['LOGGING_LEVEL', '5', `environment: LOGGING_LEVEL is "5", allowed: ${level}`],
  ['LOG_FORMAT', 'xml', 'environment: LOG_FORMAT is "xml", allowed: auto, json or pretty'],
  [
    'LIMIT_TIMEOUT_COUNT',
    '0',
    'environment: LIMIT_TIMEOUT_COUNT is "0", allowed: a whole number from 1 to 1000000000',
  ],
  [
    'TIMEOUT_INTERVAL',
    '-1',
    'environment: TIMEOUT_INTERVAL is "-1", allowed: a number of seconds from 0.01 to 3600',
  ],
  [
    'UPLOAD_MAX_SIZE',
    '100MB',
    'environment: UPLOAD_MAX_SIZE is "100MB", allowed: a number of megabytes from 0.001 to 1000000',
  ],
  [
    'RESULT_TTL_HOURS',
    '0',
    'environment: RESULT_TTL_HOURS is "0", allowed: a number of hours from 0.001 to 87600',
  ],
  [
    'MAX_PIXELS',
    'many',
    'environment: MAX_PIXELS is "many", allowed: a number of megapixels from 0.01 to 10000',
  ],
  ['JOB_STORE', 'redis', 'environment: JOB_STORE is "redis", allowed: sqlite or memory'],
  ['BACKEND_SLOTS', '3', 'environment: BACKEND_SLOTS is "3", allowed: a whole number from 1 to 2'],
  ['PREVIEWS', 'maybe', 'environment: PREVIEWS is "maybe", allowed: on or off (or true, false)'],
  ['WHEN_NO_BACKEND', 'cry', 'environment: WHEN_NO_BACKEND is "cry", allowed: queue or refuse'],
] as const)(
  '%s=%s is refused with the place, the key, the value and what is allowed',
  ([key, value, line]) => {
    expect(problemsOf({ [key]: value })).toEqual([line]);
  },
);

test('a secret that is refused is not shown', () => {
  const allowed = '16 to 512 printable ASCII characters without spaces';
  expect(problemsOf({ OPERATOR_TOKEN: 'too-short' })).toEqual([
    `environment: OPERATOR_TOKEN is "***", allowed: ${allowed}`,
  ]);
  expect(problemsOfJson({ OPERATOR_TOKEN: ['a-token-in-a-list'] })).toEqual([
    `config.json: OPERATOR_TOKEN is "***", allowed: ${allowed}`,
  ]);
});

test('every wrong value of every source is told at once', () => {
  const result = parseConfig({
    env: { PORT: 'x' },
    cwd,
    files: {
      dotEnv: { path: '/srv/bridge/.env', text: 'HOST=a b\nCOMFYUI_SERVERS=here, there' },
      configJson: { path: '/etc/bridge.json', text: '{"UPLOAD_MAX_SIZE": true, "TIMEOUT_INTERVAL": "soon"}' },
    },
  });
  expect(result.ok).toBe(false);
  expect(result.ok ? [] : result.problems.map((line) => line.replace(/ is .*/, ''))).toEqual([
    '.env: HOST',
    'environment: PORT',
    '.env: COMFYUI_SERVERS item 1',
    '.env: COMFYUI_SERVERS item 2',
    '/etc/bridge.json: UPLOAD_MAX_SIZE',
    '/etc/bridge.json: TIMEOUT_INTERVAL',
  ]);
});

test('a long wrong value is cut and stays on one line', () => {
  const [line = ''] = problemsOf({ PORT: `1\n${'9'.repeat(500)}` });
  expect(line).toMatch(/^environment: PORT is "1\\n9+…, allowed: /);
  expect(line.length).toBeLessThan(150);
});

test('wrong JSON types are refused as they stand', () => {
  expect(
    problemsOfJson({ PORT: [8000], WORKFLOW_DIR: 5, LOGGING_LEVEL: { a: 1 }, JOB_STORE: false }),
  ).toEqual([
    `config.json: PORT is [8000], allowed: ${port}`,
    `config.json: LOGGING_LEVEL is {"a":1}, allowed: ${level}`,
    'config.json: WORKFLOW_DIR is 5, allowed: a path',
    'config.json: JOB_STORE is false, allowed: sqlite or memory',
  ]);
});

test('each wrong entry of the file type map is named', () => {
  const map = { 'image/png': ['.png'], png: '.png', 'image/gif': 7, 'image/jpeg': [] };
  const extensions = 'an extension such as ".png", or a list of them';
  expect(problemsOfJson({ ALLOWED_MIME_TYPE_EXTENSION_MAP: map })).toEqual([
    'config.json: ALLOWED_MIME_TYPE_EXTENSION_MAP is "png", allowed: MIME types such as "image/png" as keys',
    `config.json: ALLOWED_MIME_TYPE_EXTENSION_MAP["image/gif"] is 7, allowed: ${extensions}`,
    `config.json: ALLOWED_MIME_TYPE_EXTENSION_MAP["image/jpeg"] is [], allowed: ${extensions}`,
  ]);
});

test('times come in ms, sizes in bytes, image sizes in pixels', () => {
  const config = configOf({
    TIMEOUT_INTERVAL: '0.5',
    LIMIT_TIMEOUT_COUNT: '3',
    UPLOAD_MAX_SIZE: '1.5',
    RESULT_TTL_HOURS: '2',
    MAX_PIXELS: '0.25',
    GRACE_SECONDS: '0',
  });
  expect(config.client).toMatchObject({ heartbeatIntervalMs: 500, timeoutMs: 1500, graceMs: 0 });
  expect(config.files).toMatchObject({
    uploadMaxBytes: 1_572_864,
    resultTtlMs: 7_200_000,
    maxPixels: 250_000,
  });
});

test('a time-out longer than a timer can hold is held at its limit', () => {
  expect(configOf({ LIMIT_TIMEOUT_COUNT: '999999999' }).client.timeoutMs).toBe(2 ** 31 - 1);
});

test.for([
  ['DEBUG', 'debug'],
  ['info', 'info'],
  ['Warning', 'warn'],
  ['warn', 'warn'],
  ['ERROR', 'error'],
  ['critical', 'fatal'],
  ['10', 'debug'],
  ['20', 'info'],
  ['25', 'warn'],
  ['30', 'warn'],
  ['50', 'fatal'],
] as const)('LOGGING_LEVEL %s logs from %s on', ([text, expected]) => {
  expect(configOf({ LOGGING_LEVEL: text }).logging.level).toBe(expected);
});

test('network settings come in the form that servers take', () => {
  expect(configOf({ HOST: '[::1]' }).server.host).toBe('::1');
  expect(configOf({ BASE_PATH: '/gpu/comfy/' }).server.basePath).toBe('/gpu/comfy');
  expect(configOf({ BASE_PATH: '/' }).server.basePath).toBe('');
  expect(configOf({ TRUST_PROXY: '2' }).server.trustProxy).toBe(2);
  expect(configOf({ TRUST_PROXY: 'none' }).server.trustProxy).toBe(false);
  const networks = configOf({ TRUST_PROXY: 'loopback, 10.0.0.0/8 ::1' }).server.trustProxy;
  expect(networks).toEqual(['loopback', '10.0.0.0/8', '::1']);
  expect(configOf({ CORS_ORIGINS: '*' }).server.corsOrigins).toBe('*');
  expect(configOf({ CORS_ORIGINS: 'https://A.example/, http://b:81' }).server.corsOrigins).toEqual([
    'https://a.example',
    'http://b:81',
  ]);
});

test('the file type map passes through as it is written, from JSON text too', () => {
  const map = { 'image/png': ['.png'], 'text/plain': 'txt' };
  expect(configOf({ ALLOWED_MIME_TYPE_EXTENSION_MAP: JSON.stringify(map) }).files.allowedTypes).toEqual(map);
  expect(configOf({}).files.allowedTypes).toBeUndefined();
});
