import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

import { startMeasured } from './_measured-process.ts';
import type { MeasuredProcess } from './_measured-process.ts';

const root = join(import.meta.dirname, '..', '..');
const simFile = join(root, 'packages', 'comfy-sim', 'dist', 'cli.mjs');
const workflowDir = join(import.meta.dirname, 'workflows');

export interface Settings {
  /** About a minute instead of some. */
  quick: boolean;
  /** The built bridge to measure. */
  bridgeFile: string;
  /** More arguments for the bridge's Node, such as `--cpu-prof`. */
  bridgeNodeArgs: readonly string[];
}

export interface SimFleet extends AsyncDisposable {
  readonly urls: readonly string[];
  readonly process: MeasuredProcess;
}

/** Simulated ComfyUIs in one process of their own, each prompt taking `runMs`. */
export async function startSims({ count = 4, runMs }: { count?: number; runMs: number }): Promise<SimFleet> {
  const started = startMeasured({
    args: [simFile, '--count', String(count), '--port', '0', '--run-ms', String(runMs), '--json'],
  });
  const urls = await readUrls(started);
  return { urls, process: started, [Symbol.asyncDispose]: () => started[Symbol.asyncDispose]() };
}

async function readUrls({ child }: MeasuredProcess): Promise<string[]> {
  if (child.stdout === null) throw new Error('the simulated backends have no output');
  const lines = createInterface({ input: child.stdout });
  for await (const line of lines) {
    if (!line.startsWith('{')) continue;
    const { urls }: { urls: string[] } = JSON.parse(line);
    return urls;
  }
  throw new Error('the simulated backends did not start');
}

export interface RunningBridge extends AsyncDisposable {
  readonly url: string;
  readonly dataDir: string;
  readonly process: MeasuredProcess;
}

/** The built bridge as it ships, with an empty data directory; resolves when all `servers` are ready. */
export async function startBridge(
  { bridgeFile, bridgeNodeArgs }: Settings,
  servers: readonly string[],
  env: Record<string, string> = {},
): Promise<RunningBridge> {
  const dataDir = await mkdtemp(join(tmpdir(), 'comfy-bridge-bench-'));
  const port = await freePort();
  const started = startMeasured({
    args: [bridgeFile],
    nodeArgs: bridgeNodeArgs,
    cwd: dataDir,
    env: {
      HOST: '127.0.0.1',
      PORT: String(port),
      COMFYUI_SERVERS: servers.join(','),
      WORKFLOW_DIR: workflowDir,
      DATA_DIR: dataDir,
      LOGGING_LEVEL: 'WARNING',
      LOG_FORMAT: 'json',
      ...env,
    },
  });
  // What it warns of belongs on the screen, and an unread pipe would stop it.
  started.child.stdout?.pipe(process.stderr, { end: false });
  const url = `http://127.0.0.1:${port}`;
  const bridge: RunningBridge = {
    url,
    dataDir,
    process: started,
    async [Symbol.asyncDispose]() {
      await started[Symbol.asyncDispose]();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
  try {
    await untilReady(url, servers.length, () => started.child.exitCode !== null);
  } catch (error) {
    await bridge[Symbol.asyncDispose]();
    throw error;
  }
  return bridge;
}

async function untilReady(url: string, backends: number, hasEnded: () => boolean): Promise<void> {
  for (let tries = 0; tries < 300 && !hasEnded(); tries += 1) {
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    const text = (await answer?.text()) ?? '';
    // With none to wait for it says 503 and zero.
    if (text.includes(`"ready":${backends},`)) return;
    await delay(50);
  }
  throw new Error('the bridge ended at once, or did not get ready within 15 s');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
