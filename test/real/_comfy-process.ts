import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

import { waitUntil } from '../faults/_wait-until.ts';

export interface ComfyOptions {
  python: string;
  /** The folder of main.py. */
  tree: string;
  entry: 'main.py' | 'main_adapted.py';
  port: number;
  /** Everything that it writes goes here: pictures, its database, compiled Python, its route table as routes.json. */
  data: string;
}

export interface ComfyAnswer {
  status: number;
  /** Undefined when it is no JSON. */
  json: unknown;
}

export interface ComfyProcess extends AsyncDisposable {
  readonly url: string;
  /** From this machine itself: the owner without a token, the bridge with it. */
  ask(path: string, options?: { body?: object; token?: string }): Promise<ComfyAnswer>;
  /** The files of input, output and temp, by their paths in `data`. */
  pictures(): Promise<string[]>;
  stop(): Promise<void>;
}

/** What it downloads and tells others by itself is switched off. */
const offline = {
  HF_HUB_OFFLINE: '1',
  TRANSFORMERS_OFFLINE: '1',
  HF_HUB_DISABLE_TELEMETRY: '1',
  DO_NOT_TRACK: '1',
};

/** A ComfyUI without a GPU that leaves its own folder as it is. Resolves when it answers. */
export async function startComfy({ python, tree, entry, port, data }: ComfyOptions): Promise<ComfyProcess> {
  const args = await prepare(tree, data);
  const child = spawn(python, [entry, ...args, '--port', String(port)], {
    cwd: tree,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      ...offline,
      PYTHONPYCACHEPREFIX: join(data, 'compiled'),
      ROUTES_FILE: join(data, 'routes.json'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      said.push(line);
      if (said.length > 1_000) said.splice(0, 500);
    });
  }
  child.on('error', (error) => said.push(String(error)));
  const exited = once(child, 'close').catch(() => {});
  const isRunning = () => child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  const url = `http://127.0.0.1:${port}`;

  async function ask(
    path: string,
    { body, token }: { body?: object; token?: string } = {},
  ): Promise<ComfyAnswer> {
    const answer = await fetch(`${url}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { connection: 'close', ...(token !== undefined && { authorization: `Bearer ${token}` }) },
      signal: AbortSignal.timeout(10_000),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: answer.status, json: parseJson(await answer.text()) };
  }

  async function stop(): Promise<void> {
    if (isRunning()) child.kill('SIGINT');
    const late = delay(20_000, 'late' as const, { ref: false });
    if ((await Promise.race([exited, late])) === 'late') child.kill('SIGKILL');
    await exited;
  }

  const isUp = async () =>
    !isRunning() || (await ask('/system_stats').catch(() => undefined))?.status === 200;
  try {
    await waitUntil('ComfyUI to answer', isUp, { withinMs: 120_000, everyMs: 250 });
    if (!isRunning()) throw new Error('ComfyUI ended');
  } catch (error) {
    await stop();
    throw new Error(`${entry} did not start:\n${said.slice(-30).join('\n')}`, { cause: error });
  }
  return {
    url,
    ask,
    async pictures() {
      const folders = ['input', 'output', 'temp'].map(async (folder) => {
        const path = join(data, folder);
        // The one for what is temporary comes with its first file.
        const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => []);
        return entries
          .filter((found) => !found.isDirectory())
          .map((found) => join(found.parentPath, found.name).slice(data.length + 1));
      });
      return (await Promise.all(folders)).flat().toSorted();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Packs of these tests, from where they are: one for slow nodes, one for the route table. */
const packsBeside = `
tests:
  base_path: ${JSON.stringify(join(import.meta.dirname, '..'))}
  custom_nodes: |
    contract
    real
`;

async function prepare(tree: string, data: string): Promise<string[]> {
  const at = (name: string) => join(data, name);
  await Promise.all(['input', 'output', 'temp', 'user'].map((name) => mkdir(at(name), { recursive: true })));
  await writeFile(at('packs.yaml'), packsBeside);
  const options = await readFile(join(tree, 'comfy/cli_args.py'), 'utf8');
  return [
    ...['--cpu', '--disable-auto-launch', '--listen', '127.0.0.1'],
    ...['--input-directory', at('input'), '--output-directory', at('output')],
    // It makes a folder `temp` of its own in there.
    ...['--temp-directory', data, '--user-directory', at('user')],
    ...['--extra-model-paths-config', at('packs.yaml')],
    ...(options.includes('--database-url') ? ['--database-url', `sqlite:///${at('user/comfyui.db')}`] : []),
  ];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
