import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

import { startSim } from '@comfy-bridge/comfy-sim';
import { expect, test } from 'vitest';
import { build } from 'vite';

import { workflowsDir } from './_start-bridge.ts';

const root = join(import.meta.dirname, '..');

/** Builds the bridge where Node finds its dependencies from, so that no earlier build is tested by mistake. */
async function buildBridge() {
  const outDir = await mkdtemp(join(root, 'node_modules', '.built-'));
  await build({ root, configFile: join(root, 'vite.config.ts'), logLevel: 'error', build: { outDir } });
  return {
    main: join(outDir, 'main.mjs'),
    [Symbol.asyncDispose]: () => rm(outDir, { recursive: true, force: true }),
  };
}

/** The built program as an operator starts it; resolves once it listens. */
async function startBuilt(main: string, env: Record<string, string>) {
  const child = spawn(process.execPath, [main], {
    env: {
      PORT: '0',
      HOST: '127.0.0.1',
      LOG_FORMAT: 'json',
      LOG_LEVEL: 'info',
      WORKFLOW_DIR: workflowsDir,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const seen: string[] = [];

  /** The first log line that says so, also one that has gone by. */
  async function logged(text: string): Promise<string> {
    const late = once(AbortSignal.timeout(20_000), 'abort').then(() => ({ value: '', done: true }));
    for (;;) {
      const found = seen.find((line) => line.includes(text));
      if (found !== undefined) return found;
      const { value, done } = await Promise.race([lines.next(), late]);
      if (done === true) throw new Error(`the bridge did not say «${text}»: ${seen.join('\n')}`);
      seen.push(value);
    }
  }

  const url = /"url":"([^"]+)"/.exec(await logged('bridge listening'))?.[1] ?? '';
  return {
    url,
    logged,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await exited;
      expect(child.exitCode).toBe(0);
    },
  };
}

function call(url: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url, { ...init, headers: { connection: 'close' } });
}

test('the built bridge runs a job, and has it still after a restart', { timeout: 60_000 }, async () => {
  await using built = await buildBridge();
  // So much to read that it is left to a thread of its own.
  const loras = Array.from({ length: 20_000 }, (_, index) => `style ${index}.safetensors`);
  await using sim = await startSim({ mode: 'free', runMs: 0, models: { loras } });
  const dataDir = await mkdtemp(join(tmpdir(), 'built-bridge-'));
  await using _data = { [Symbol.asyncDispose]: () => rm(dataDir, { recursive: true, force: true }) };
  const env = { DATA_DIR: dataDir, COMFYUI_SERVERS: sim.address };
  {
    await using bridge = await startBuilt(built.main, env);
    await bridge.logged('backend ready');
    const body = JSON.stringify({ workflow: 'text-to-image' });
    const answer = await call(`${bridge.url}/generate-based-workflow?clientId=one`, { method: 'POST', body });
    expect(answer.status).toBe(200);
    expect(await bridge.logged('job finished')).toContain('succeeded');
  }
  await using bridge = await startBuilt(built.main, env);
  const history = await call(`${bridge.url}/history?clientId=one`);
  expect(history.status).toBe(200);
  expect(history.headers.get('content-type')).toMatch(/^multipart\/form-data/);
  await history.arrayBuffer();
  expect(await (await call(`${bridge.url}/generation-count`)).json()).toBe(1);
  // Its own page lies beside it, where that was built.
  const page = await call(`${bridge.url}/`);
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  await page.arrayBuffer();
  // The page about its API comes from a package that is not bundled.
  const script = await call(`${bridge.url}/docs/swagger-ui-bundle.js`);
  expect(script.status).toBe(200);
  expect(await script.text()).toContain('SwaggerUIBundle');
  expect(await (await call(`${bridge.url}/openapi.json`)).json()).toMatchObject({ openapi: '3.1.1' });
  // A video is looked into by a thread of its own, with a package that is not bundled.
  const clip = new FormData();
  clip.append('file', new Blob([await readFile(join(root, 'tests/fixtures/media/clip.mp4'))]), 'clip.mp4');
  const uploaded = await call(`${bridge.url}/upload`, { method: 'POST', body: clip });
  // The command line, with the typed client in it, is of the same build.
  const args = [built.main, 'run', 'text-to-image', '--json', '--url', bridge.url];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: dataDir });
  expect(JSON.parse(stdout)).toMatchObject({ status: 'succeeded' });
  expect(await uploaded.text()).toMatch(/^\{"file":"[\w-]+\.mp4"\}$/);
});
