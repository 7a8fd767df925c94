import { createServer, request as forward } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { startSim } from '@comfy-bridge/comfy-sim';
import { expect, test } from 'vitest';
import { z } from 'zod';

import { cli, temporaryFolder } from './_cli.ts';
import type { CliOptions } from './_cli.ts';
import { startBridge, workflowsDir } from './_start-bridge.ts';
import { copyWorkflows, setInput } from './_workflow-folder.ts';
import { startWorld } from './_world.ts';

const free = { mode: 'free', runMs: 0 } as const;
const reportSchema = z.strictObject({
  ok: z.boolean(),
  findings: z.array(
    z.strictObject({
      about: z.string(),
      name: z.string(),
      level: z.enum(['ok', 'warn', 'fail', 'skip']),
      text: z.string(),
      fix: z.string().optional(),
    }),
  ),
});

/** What the doctor says, a line for each finding. */
async function doctor(options: CliOptions, ...args: string[]) {
  const { code, stdout, stderr } = await cli(['doctor', '--json', ...args], options);
  expect(stderr).toBe('');
  const { ok, findings } = reportSchema.parse(JSON.parse(stdout));
  expect(code).toBe(ok ? 0 : 1);
  for (const { level, fix, text } of findings) if (level === 'fail') expect(fix, text).toBeTruthy();
  return findings.map(({ about, name, level, text }) => `${level} ${about} ${name}: ${text}`).join('\n');
}

test('settings that work are found to work, without a trace of the look', async () => {
  await using sim = await startSim(free);
  await using folder = await temporaryFolder();
  const env = {
    ...{ PORT: '65433', DATA_DIR: join(folder.path, 'data'), WORKFLOW_DIR: workflowsDir },
    COMFYUI_SERVERS: `studio=${sim.address}`,
  };
  const found = await doctor({ env, cwd: folder.path });
  expect(found).not.toMatch(/^(fail|warn)/m);
  expect(found).toMatch(/^ok bridge port: .*65433 is free/m);
  expect(found).toMatch(/^ok backend studio: ComfyUI \S+ answers/m);
  expect(found).toMatch(/^ok backend studio: its WebSocket opens/m);
  expect(found).toMatch(/^ok backend studio: lists its nodes/m);
  expect(found).toMatch(/^ok workflow text-to-image: runs on studio/m);
  expect(await readdir(folder.path)).toEqual([]);
});

test('what is wrong is named, each with what to do', async () => {
  await using sim = await startSim(free);
  await using folder = await copyWorkflows({
    upscale: setInput('LoadImage', 'image', 'sample_a.png'),
    'text-to-image': setInput('CheckpointLoaderSimple', 'ckpt_name', 'not-there.safetensors'),
  });
  await writeFile(join(folder.path, 'bridge.sqlite'), 'this is no database, though it is long enough');
  sim.failNext('ws', 500, 1_000);
  const env = {
    ...{ PORT: String(sim.port), DATA_DIR: folder.path, WORKFLOW_DIR: folder.path, KEYS: 'required' },
    COMFYUI_SERVERS: `studio=${sim.address},dead=127.0.0.1:9`,
  };
  const found = await doctor({ env, cwd: folder.path });
  expect(found).toMatch(/^fail bridge port: .* is taken by another program/m);
  expect(found).toMatch(/^fail backend dead: does not answer/m);
  expect(found).toMatch(/^fail data store: .* cannot be opened/m);
  const elsewhere = { ...env, DATA_DIR: join(folder.path, 'new'), BACKEND_NETWORKS: '10.0.0.0/8' };
  const strict = await doctor({ env: elsewhere, cwd: folder.path }, '--offline');
  expect(strict).toMatch(/^fail backend studio: does not answer/m);
  expect(strict).toMatch(/^fail keys keys: keys are required, and there is none/m);
  expect(await doctor({ env: { ...env, PORT: 'x' }, cwd: folder.path })).toMatch(
    /^fail settings .*PORT is "x"/m,
  );
});

test('a workflow that no machine can run is named with what is missing', async () => {
  await using sim = await startSim(free);
  await using workflows = await copyWorkflows({
    'text-to-image': setInput('CheckpointLoaderSimple', 'ckpt_name', 'not-there.safetensors'),
  });
  await using folder = await temporaryFolder();
  const env = {
    ...{ PORT: '65433', DATA_DIR: join(folder.path, 'data'), WORKFLOW_DIR: workflows.path },
    COMFYUI_SERVERS: `studio=${sim.address}`,
  };
  const found = await doctor({ env, cwd: folder.path });
  expect(found).toMatch(/^fail workflow text-to-image: runs nowhere: studio lacks .*not-there/m);
  expect(found).toMatch(/^ok workflow upscale: runs on studio/m);
});

test('a bridge that runs is asked, and its data directory is left in peace', async () => {
  await using world = await startWorld(1, free);
  await using t = await world.start();
  const { port } = new URL(t.url);
  const env = { PORT: port, DATA_DIR: world.dataDir, COMFYUI_SERVERS: 'none' };
  const found = await doctor({ env, cwd: world.dataDir });
  expect(found).toMatch(/^ok data store: opens, schema \d/m);
  expect(found).toMatch(/^ok bridge port: a bridge runs at/m);
  expect(found).toMatch(/^ok backend a: the bridge says: ready/m);
  expect(found).toMatch(/^ok workflow upscale: runs on a/m);
  expect((await cli(['run', 'text-to-image'], { url: t.url })).code).toBe(0);
});

test('a public bridge that asks nobody is warned about', async () => {
  await using folder = await temporaryFolder();
  await mkdir(join(folder.path, 'data'));
  const env = { HOST: '0.0.0.0', PORT: '65433', KEYS: 'off', DATA_DIR: join(folder.path, 'data') };
  const found = await doctor({ env, cwd: folder.path }, '--offline');
  expect(found).toMatch(/^warn keys keys: whoever reaches 0\.0\.0\.0:65433/m);
});

/** A proxy as it should not be: it passes nothing on but the request, by another name. */
async function startProxy(url: string, { maxBytes = Infinity }: { maxBytes?: number } = {}) {
  const target = new URL(url);
  const server = createServer((request, response) => {
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) {
      response.writeHead(413, { 'content-type': 'text/html' }).end('<html>413</html>');
      return;
    }
    const { method, url: path } = request;
    const { connection: _connection, upgrade: _upgrade, ...headers } = request.headers;
    const passed = forward(
      { host: target.hostname, port: target.port, method, path, headers: { ...headers, host: target.host } },
      (answer: IncomingMessage) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    passed.on('error', () => response.destroy());
    request.on('error', () => passed.destroy());
    request.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('through a proxy, what it does not pass on is named', async () => {
  await using t = await startBridge({ sim: free });
  const straight = await doctor({}, '--url', t.url);
  expect(straight).not.toMatch(/^fail/m);
  expect(straight).toMatch(/^ok proxy WebSocket: opens/m);
  await using proxy = await startProxy(t.url, { maxBytes: 2 ** 20 });
  const found = await doctor({}, '--url', proxy.url);
  expect(found).toMatch(/^fail proxy WebSocket: does not open/m);
  expect(found).toMatch(/^fail proxy uploads: the proxy refuses a file of 100 MB/m);
  expect(found).toMatch(/^fail proxy Host: the bridge takes itself for/m);
});

test('event streams are looked at while a job is under way', async () => {
  await using t = await startBridge();
  expect(await doctor({}, '--url', t.url)).toMatch(/^skip proxy event streams/m);
  expect((await cli(['run', 'text-to-image', '--no-wait'], { url: t.url })).code).toBe(0);
  expect(await doctor({}, '--url', t.url)).toMatch(/^ok proxy event streams: come at once/m);
});

test('config check tells all problems, and where each setting is from, without secrets', async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, '.env'), 'OPERATOR_TOKEN=the-operators-own-token\nMAX_PIXELS=lots\n');
  await writeFile(join(folder.path, 'config.json'), '{"BACKEND_SLOTS": 9, "PROT": 1}');
  const env = { COMFYUI_SERVERS: 'a=10.0.0.7:8188;token=SECRET' };
  const shown = await cli(['config', 'check'], { cwd: folder.path, env });
  expect(shown.code).toBe(1);
  expect(shown.stdout).toMatch(/COMFYUI_SERVERS +a=http:\/\/10\.0\.0\.7:8188;token=\*\*\* +environment/);
  expect(shown.stdout).toMatch(/OPERATOR_TOKEN +\*\*\* +\.env/);
  expect(shown.stderr).toMatch(/warning: config\.json: "PROT"/);
  expect(shown.stderr).toMatch(/problem: config\.json: BACKEND_SLOTS[^]*problem: \.env: MAX_PIXELS/);
  expect(shown.stdout + shown.stderr).not.toMatch(/SECRET|the-operators/);
  const { stdout, code } = await cli(['config', 'check', '--json', '--all'], { cwd: folder.path, env: {} });
  const checked = z
    .strictObject({
      ok: z.boolean(),
      problems: z.array(z.string()).length(2),
      warnings: z.array(z.string()).length(1),
      settings: z.array(
        z.strictObject({ key: z.string(), value: z.string().nullable(), source: z.string() }),
      ),
    })
    .parse(JSON.parse(stdout));
  expect({ code, ok: checked.ok }).toEqual({ code: 1, ok: false });
  expect(checked.settings).toContainEqual({ key: 'PORT', value: '8000', source: 'default' });
  expect((await cli(['config'], {})).code).toBe(0);
});
