// `npm start`: the bridge with whatever COMFYUI_SERVERS names, or with two simulated ComfyUI backends when it names none.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

import { loadConfig } from '@comfy-bridge/bridge/config';

const root = join(import.meta.dirname, '..');
const bridgeFile = join(root, 'packages', 'bridge', 'dist', 'main.mjs');
const simFile = join(root, 'packages', 'comfy-sim', 'dist', 'cli.mjs');
const simCount = 2;

const children: ChildProcess[] = [];

/** Starts the simulated fleet on free ports; resolves with `COMFYUI_SERVERS` for it. */
async function startSims(): Promise<string> {
  const args = [simFile, '--count', String(simCount), '--port', '0', '--json', '--exit-with-parent'];
  const sims = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(sims);
  for await (const line of createInterface({ input: sims.stdout })) {
    if (!line.startsWith('{')) continue;
    const { urls } = JSON.parse(line);
    return urls.map((url: string, index: number) => `simulated-${index + 1}=${url}`).join(',');
  }
  throw new Error('the simulated ComfyUI backends did not start');
}

/** Polls until a backend is ready; false when the bridge ended or half a minute passed. */
async function untilReady(url: string, bridge: ChildProcess): Promise<boolean> {
  for (let tries = 0; tries < 150 && bridge.exitCode === null; tries += 1) {
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    if (answer?.ok === true) return true;
    await delay(200);
  }
  return false;
}

function printWelcome(
  url: string,
  { isSimulated, asksForKeys }: { isSimulated: boolean; asksForKeys: boolean },
): void {
  const key = asksForKeys ? ' -H "Authorization: Bearer $KEY"' : '';
  const more = asksForKeys
    ? 'It asks for keys: npm run bridge -- keys create --name me, and see docs/operator.md#security'
    : `Every call, to try in the browser: ${url}/docs`;
  const fleet = isSimulated
    ? `two SIMULATED ComfyUI backends (no GPU, no ComfyUI: model pictures are stand-ins, plain image operations are real).
  Name your own machines to use them:  COMFYUI_SERVERS=192.0.2.10:8188,192.0.2.11:8188 npm start`
    : 'the ComfyUI backends that COMFYUI_SERVERS names.';
  process.stdout.write(`
  comfy-bridge is up on ${url}, with ${fleet}

  Open ${url}/ in a browser to run workflows and to watch the fleet.

  A picture in one call:

    curl "${url}/api/bridge/workflows/text-to-image/jobs"${key} -H "Prefer: wait=60" -H "Accept: image/png" -d '{"inputs": {"prompt": "a lighthouse at dawn"}}' -o picture.png

  ${more}
  Stop it with Ctrl-C. More: README.md and docs/client.md.

`);
}

async function main(): Promise<number> {
  const loaded = await loadConfig({ env: process.env, cwd: process.cwd() });
  // Wrong settings are the bridge's to report: it is started all the same and says so in its own words.
  const isSimulated = loaded.ok && loaded.config.backends.servers.length === 0;
  const env = { ...process.env, ...(isSimulated && { COMFYUI_SERVERS: await startSims() }) };
  const bridge = spawn(process.execPath, [bridgeFile], { stdio: 'inherit', env });
  children.push(bridge);
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => bridge.kill('SIGTERM'));
  // Ctrl-C reaches the children too; this process only has to outlive them.
  process.on('SIGINT', () => {});
  const exited = once(bridge, 'exit');
  if (loaded.ok) {
    const { host, port, basePath } = loaded.config.server;
    const shownHost = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
    const url = `http://${shownHost.includes(':') ? `[${shownHost}]` : shownHost}:${port}${basePath}`;
    if (port !== 0 && (await untilReady(url, bridge)))
      printWelcome(url, { isSimulated, asksForKeys: loaded.config.operator.keysRequired });
  }
  await exited;
  return bridge.exitCode ?? (bridge.signalCode === 'SIGTERM' ? 0 : 1);
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  for (const child of children) child.kill();
}
