import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { loadConfig } from '../src/config/parse-config.ts';
import type { ConfigResult } from '../src/config/parse-config.ts';

let cwd: string;

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'bridge-config-'));
});

afterEach(() => rm(cwd, { recursive: true }));

/** Loads the configuration of a folder with these files. */
async function load(files: Record<string, string>, env: Record<string, string> = {}): Promise<ConfigResult> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(cwd, name)), { recursive: true });
    await writeFile(join(cwd, name), text);
  }
  return loadConfig({ env, cwd });
}

function configOf(result: ConfigResult) {
  if (!result.ok) throw new Error(result.problems.join('\n'));
  return result.config;
}

test('a folder without files gives the defaults', async () => {
  const result = await load({});
  expect(result.warnings).toEqual([]);
  expect(configOf(result)).toMatchObject({
    server: {
      host: '127.0.0.1',
      port: 8000,
      basePath: '',
      trustProxy: false,
      corsOrigins: [],
      shutdownTimeoutMs: 10_000,
    },
    backends: { whenNone: 'queue', slots: 2, previews: true, connectTimeoutMs: 2000, probeIntervalMs: 1000 },
    workflows: { dir: join(cwd, 'workflows'), aliasFile: join(cwd, 'workflows', 'workflow_alias.json') },
    files: {
      dataDir: join(cwd, 'data'),
      uploadMaxBytes: 100 * 1024 * 1024,
      uploadMaxFiles: 16,
      uploadTtlMs: 86_400_000,
      resultMaxBytes: 1024 ** 3,
      resultTtlMs: 86_400_000,
      maxPixels: 100_000_000,
      allowedTypes: undefined,
    },
    jobs: {
      store: 'sqlite',
      maxQueued: 10_000,
      maxAttempts: 3,
      currentStateFile: join(cwd, 'data', 'current_state.json'),
    },
    client: { heartbeatIntervalMs: 1000, timeoutMs: 60_000, graceMs: 5000, jsonMaxBytes: 10 * 1024 * 1024 },
    logging: { level: 'info', format: 'auto' },
    operator: { token: undefined },
  });
});

test('the files of the original bridge are accepted as they are', async () => {
  const result = await load({
    '.env':
      '# bridge\nHOST=0.0.0.0\nPORT=8001\nCOMFYUI_SERVERS=127.0.0.1:8188,192.168.0.12:8188\nCONFIG=./config.json\n',
    'config.json': JSON.stringify({
      LOGGING_LEVEL: 'INFO',
      CURRENT_STATE: './current_state.json',
      WORKFLOW_ALIAS: './workflows/workflow_alias.json',
      WORKFLOW_DIR: './workflows',
      LIMIT_TIMEOUT_COUNT: 60,
      TIMEOUT_INTERVAL: 1,
      UPLOAD_MAX_SIZE: 100,
      ALLOWED_MIME_TYPE_EXTENSION_MAP: {
        'image/png': ['.png'],
        'image/jpeg': ['.jpg', '.jpeg'],
        'video/mp4': '.mp4',
      },
    }),
  });
  expect(result.warnings).toEqual([]);
  const config = configOf(result);
  expect(config.server).toMatchObject({ host: '0.0.0.0', port: 8001 });
  expect(config.backends.servers.map(({ url }) => url)).toEqual([
    'http://127.0.0.1:8188',
    'http://192.168.0.12:8188',
  ]);
  expect(config.jobs.currentStateFile).toBe(join(cwd, 'current_state.json'));
  expect(config.workflows).toEqual({
    dir: join(cwd, 'workflows'),
    aliasFile: join(cwd, 'workflows/workflow_alias.json'),
  });
  expect(config.client.timeoutMs).toBe(60_000);
  expect(config.files.allowedTypes).toMatchObject({ 'image/jpeg': ['.jpg', '.jpeg'], 'video/mp4': '.mp4' });
});

test('the environment wins over .env, .env over config.json, config.json over the default', async () => {
  const files = {
    '.env': 'PORT=2\nMAX_ATTEMPTS=2',
    'config.json': '{"PORT": 3, "MAX_ATTEMPTS": 4, "BACKEND_SLOTS": 1}',
  };
  const config = configOf(await load(files, { PORT: '1' }));
  expect([config.server.port, config.jobs.maxAttempts, config.backends.slots]).toEqual([1, 2, 1]);
});

test('an empty value counts as not set', async () => {
  const files = { '.env': 'PORT=\nHOST="  "', 'config.json': '{"PORT": 9, "HOST": null}' };
  const config = configOf(await load(files, { PORT: '' }));
  expect([config.server.port, config.server.host]).toEqual([9, '127.0.0.1']);
});

test('a wrong value that is overridden stops nothing', async () => {
  expect(configOf(await load({ '.env': 'PORT=x' }, { PORT: '5' })).server.port).toBe(5);
});

test('relative paths count from the file that names them', async () => {
  const files = {
    '.env': 'CONFIG=conf/my.json\nDATA_DIR=d',
    'conf/my.json': '{"WORKFLOW_DIR": "../w", "DATA_DIR": "no"}',
  };
  const config = configOf(await load(files, { CURRENT_STATE: 'state.json' }));
  expect(config.files.dataDir).toBe(join(cwd, 'd'));
  expect(config.workflows.dir).toBe(join(cwd, 'w'));
  expect(config.jobs.currentStateFile).toBe(join(cwd, 'state.json'));
  const other = configOf(
    await load({ 'conf/my.json': '{"DATA_DIR": "here"}', '.env': 'CONFIG=conf/my.json' }),
  );
  expect(other.files.dataDir).toBe(join(cwd, 'conf', 'here'));
  expect(other.jobs.currentStateFile).toBe(join(cwd, 'conf', 'here', 'current_state.json'));
});

test('CONFIG of the environment wins, and the config.json beside it is not read', async () => {
  const files = {
    'config.json': '{"PORT": 1}',
    'a.json': '{"PORT": 2}',
    'b.json': '{"PORT": 3}',
    '.env': 'CONFIG=a.json',
  };
  expect(configOf(await load(files, { CONFIG: join(cwd, 'b.json') })).server.port).toBe(3);
  expect(configOf(await load(files)).server.port).toBe(2);
});

test('a file that CONFIG names must be there', async () => {
  const named = await load({ '.env': 'CONFIG=gone.json\nPORT=x' });
  expect(named).toMatchObject({
    ok: false,
    problems: [
      'gone.json: cannot be read (ENOENT; .env names it as CONFIG)',
      '.env: PORT is "x", allowed: a whole number from 0 to 65535',
    ],
  });
  await mkdir(join(cwd, 'folder'));
  expect(await load({}, { CONFIG: 'folder' })).toMatchObject({
    problems: expect.arrayContaining(['folder: cannot be read (EISDIR; environment names it as CONFIG)']),
  });
});

test('a byte order mark and Windows line ends do no harm', async () => {
  const config = configOf(
    await load({ '.env': '\uFEFFPORT=5\r\nHOST=::1\r\n', 'config.json': '\uFEFF{\r\n"MAX_ATTEMPTS": 2}' }),
  );
  expect([config.server.port, config.server.host, config.jobs.maxAttempts]).toEqual([5, '::1', 2]);
});

test('the result is frozen all the way down', async () => {
  const config = configOf(
    await load({ 'config.json': '{"ALLOWED_MIME_TYPE_EXTENSION_MAP": {"image/png": [".png"]}}' }),
  );
  const parts = [
    config,
    config.server,
    config.backends.servers,
    config.backends.servers[0],
    config.files.allowedTypes,
  ];
  expect(parts.every((part) => Object.isFrozen(part))).toBe(true);
  expect(Object.isFrozen(config.files.allowedTypes?.['image/png'])).toBe(true);
});

test('unknown keys of config.json are warned about, with the key that was probably meant', async () => {
  const result = await load({
    'config.json': '{"UPLOAD_MAXSIZE": 1, "port": 2, "COLOUR": "red", "CONFIG": "x", "__proto__": 1}',
  });
  expect(result.ok).toBe(true);
  expect(result.warnings).toEqual([
    'config.json: "UPLOAD_MAXSIZE" is unknown and ignored; did you mean UPLOAD_MAX_SIZE?',
    'config.json: "port" is unknown and ignored; did you mean PORT?',
    'config.json: "COLOUR" is unknown and ignored',
    'config.json: "__proto__" is unknown and ignored',
    'config.json: CONFIG is ignored here; it may stand in the environment or .env',
  ]);
});

test('in .env only a misspelt key is warned about, for the file may serve other programs too', async () => {
  const result = await load({ '.env': 'COMFYUI_SERVER=a:1\nDATABASE_URL=x' });
  expect(result.warnings).toEqual([
    '.env: "COMFYUI_SERVER" is unknown and ignored; did you mean COMFYUI_SERVERS?',
  ]);
});

test.for([
  ['{"PORT": 1,}', 'line 1, column 12, expected a key in double quotes'],
  ['{\n  "PORT": 1\n  "HOST": "a"\n}', 'line 3, column 3, expected a comma or "}"'],
  ['{"PORT" 1}', 'line 1, column 9, expected a colon'],
  ['{"PORT": 08}', 'line 1, column 10, expected a value'],
  ['{"A": [1, 2', 'line 1, column 12, expected a comma or "]"'],
  ['{"A": [}', 'line 1, column 8, expected a value or "]"'],
  ['{// no\n}', 'line 1, column 2, expected a key in double quotes or "}"'],
  ['{}\r\n{}', 'line 2, column 1, expected the end'],
  [
    '{"DATA_DIR": "C:\\data"}',
    'line 1, column 14, expected a closed text on one line, with "\\\\" for each backslash',
  ],
  ['', 'line 1, column 1, expected a value'],
] as const)('config.json %j is refused with line and column', async ([text, where]) => {
  expect(await load({ 'config.json': text })).toMatchObject({
    ok: false,
    problems: [`config.json: not valid JSON at ${where}`],
  });
});

test('config.json must be an object', async () => {
  expect(await load({ 'config.json': '[1]' })).toMatchObject({
    ok: false,
    problems: ['config.json: holds a list, allowed: an object of settings'],
  });
});
