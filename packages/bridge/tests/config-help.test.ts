import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseEnv, promisify } from 'node:util';

import { expect, test } from 'vitest';

import { buildProgram } from '../src/cli/build-program.ts';
import { hostOfProcess } from '../src/cli/cli-host.ts';
import { optionEntries } from '../src/config/options.ts';
import { parseConfig } from '../src/config/parse-config.ts';
import { renderConfigDocs, renderHelp } from '../src/config/render-help.ts';

const commands = buildProgram(hostOfProcess()).help();
const root = fileURLToPath(new URL('../../../', import.meta.url));

test('--help reads as recorded', async () => {
  await expect(renderHelp('1.2.3', commands)).toMatchFileSnapshot('./config-help.txt');
});

test('--help and docs/config.md name every option', () => {
  const help = renderHelp('1.2.3', commands);
  const docs = renderConfigDocs();
  for (const [key] of optionEntries) {
    expect(help).toMatch(new RegExp(`^  ${key}( |$)`, 'm'));
    expect(docs).toContain(`| \`${key}\` |`);
  }
  expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
});

test('docs/config.md is what the options say', async () => {
  const written = await readFile(join(root, 'docs/config.md'), 'utf8');
  const hint = 'docs/config.md is out of date; run `node scripts/write-config-docs.ts`';
  expect(written.replaceAll('\r\n', '\n'), hint).toBe(renderConfigDocs());
});

test('every example of docs/config.md and .env.example is accepted', async () => {
  const json = [...renderConfigDocs().matchAll(/```json\n(.*?)```/gs)].map(([, text = '']) => text);
  const shell = [...renderConfigDocs().matchAll(/^(COMFYUI_SERVERS=.*)$/gm)].map(([, text = '']) => text);
  const example = await readFile(join(root, '.env.example'), 'utf8');
  expect([json.length, shell.length]).toEqual([2, 2]);
  for (const text of json) {
    const files = { configJson: { path: '/srv/config.json', text } };
    expect(parseConfig({ env: {}, cwd: '/srv', files })).toMatchObject({ ok: true, warnings: [] });
  }
  for (const text of [...shell, example]) {
    const files = { dotEnv: { path: '/srv/.env', text } };
    expect(Object.keys(parseEnv(text))).not.toEqual([]);
    expect(parseConfig({ env: {}, cwd: '/srv', files })).toMatchObject({ ok: true, warnings: [] });
  }
});

// Records every file access and every look at one of our variables, first while importing, then while loading.
const probe = `
import fs from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';
const [, , ...modules] = process.argv;
const require = createRequire(modules[0]);
for (const name of ['pino', 'pino-pretty']) require(name);
const touched = [];
for (const api of [fs, fs.promises]) for (const name of Object.keys(api)) {
  const original = api[name];
  if (typeof original !== 'function' || /^[A-Z]/.test(name)) continue;
  api[name] = function (path, ...rest) {
    if (typeof path === 'string' && path.startsWith(process.cwd())) touched.push(path);
    return original.call(this, path, ...rest);
  };
}
syncBuiltinESMExports();
const keys = JSON.parse(process.env.OPTION_KEYS);
process.env = new Proxy(process.env, { get: (env, key) => (keys.includes(key) && touched.push(key), env[key]) });
const loaded = await Promise.all(modules.map((url) => import(url)));
const whileImporting = [...touched];
await loaded[0].loadConfig({ env: process.env, cwd: process.cwd() });
process.stdout.write(JSON.stringify({ whileImporting, whileLoading: touched.length }));
`;

test('importing the modules reads no file, no setting, and writes nothing', async () => {
  const src = new URL('../src/', import.meta.url);
  const names = (await readdir(new URL('config/', src))).filter((name) => !name.startsWith('parse-config'));
  const modules = ['config/parse-config.ts', ...names.map((name) => `config/${name}`), 'logging.ts'];
  const cwd = await mkdtemp(join(tmpdir(), 'bridge-import-'));
  try {
    await writeFile(join(cwd, '.env'), 'PORT=wrong');
    await writeFile(join(cwd, 'config.json'), 'wrong');
    const script = join(cwd, 'probe.mjs');
    await writeFile(script, probe);
    const urls = modules.map((name) => pathToFileURL(join(fileURLToPath(src), name)).href);
    const env = {
      ...process.env,
      OPTION_KEYS: JSON.stringify(optionEntries.map(([key]) => key)),
      PORT: 'wrong',
    };
    const { stdout } = await promisify(execFile)(process.execPath, [script, ...urls], { cwd, env });
    const seen: unknown = JSON.parse(stdout);
    expect(seen).toEqual({ whileImporting: [], whileLoading: expect.any(Number) });
    expect(seen).not.toHaveProperty('whileLoading', 0);
    expect((await readdir(cwd)).toSorted()).toEqual(['.env', 'config.json', 'probe.mjs']);
  } finally {
    await rm(cwd, { recursive: true });
  }
});
