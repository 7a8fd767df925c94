import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startSim } from '@comfy-bridge/comfy-sim';
import type { Sim, SimOptions } from '@comfy-bridge/comfy-sim';

import { accessSettings, createCredentials } from './_access.ts';
import type { AccessMode } from './_access.ts';
import { createBridge } from '../src/bridge.ts';
import type { Bridge, BridgeOverrides } from '../src/bridge.ts';
import { parseConfig } from '../src/config/parse-config.ts';
import type { BridgeEvents, EventName } from '../src/events.ts';
import { createLogger } from '../src/logging.ts';

export const workflowsDir = join(import.meta.dirname, '../../../workflows');

export interface StartOptions {
  /** How many simulated backends; or their options, one each. Default one, driven step by step. */
  sims?: number | SimOptions[];
  /** Options for every simulated backend. */
  sim?: SimOptions;
  /** Settings as the operator writes them. */
  env?: Record<string, string>;
  overrides?: Partial<BridgeOverrides>;
  /** Wait until every backend is ready. Default true. */
  ready?: boolean;
  /** Default `keys off`. With `keys on`, what the test sends shows a key; see `credentials`. */
  access?: AccessMode;
  /** Whose key that is. Default `client`. */
  role?: 'client' | 'operator';
  /** Keep and use this data directory instead of a fresh one that is removed at the end. */
  dataDir?: string;
}

export interface TestBridge extends AsyncDisposable {
  readonly bridge: Bridge;
  readonly url: string;
  readonly wsUrl: string;
  readonly sims: readonly Sim[];
  /** The first simulated backend. */
  readonly sim: Sim;
  readonly dataDir: string;
  /** What `get` and `post` send by themselves; for sockets and requests written by hand. None with keys off. */
  readonly credentials: Readonly<Record<string, string>>;
  /** Everything that was logged at level error: a test that expects none fails on one. */
  readonly errors: string[];
  /** The next event of that name that matches; rejects after ten seconds, saying what it waited for. */
  nextEvent<K extends EventName>(
    name: K,
    matches?: (event: BridgeEvents[K]) => boolean,
  ): Promise<BridgeEvents[K]>;
  get(path: string, init?: RequestInit): Promise<Response>;
  post(path: string, body?: unknown, init?: RequestInit): Promise<Response>;
}

/** The real bridge on a real port, in front of simulated ComfyUI servers on real ports. */
export async function startBridge(options: StartOptions = {}): Promise<TestBridge> {
  await using parts = new AsyncDisposableStack();
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'bridge-test-')));
  if (options.dataDir === undefined) parts.defer(() => rm(dataDir, { recursive: true, force: true }));

  const { access = 'keys off', role } = options;
  const wanted = options.sims ?? 1;
  const simOptions = typeof wanted === 'number' ? Array.from({ length: wanted }, () => ({})) : wanted;
  const sims = await Promise.all(simOptions.map((own) => startSim({ ...options.sim, ...own })));
  for (const sim of sims) parts.defer(() => sim.close());

  const parsed = parseConfig({
    cwd: dataDir,
    env: {
      PORT: '0',
      DATA_DIR: dataDir,
      WORKFLOW_DIR: workflowsDir,
      COMFYUI_SERVERS: sims.map((sim) => sim.address).join(','),
      JOB_STORE: 'memory',
      PROBE_INTERVAL: '0.2',
      // A test that ends does not wait for jobs that it left running.
      SHUTDOWN_TIMEOUT: '0',
      ...accessSettings(access),
      ...options.env,
    },
  });
  if (!parsed.ok) throw new Error(parsed.problems.join('\n'));

  const errors: string[] = [];
  const log = createLogger({
    level: 'error',
    format: 'json',
    destination: { write: (line) => void errors.push(line) },
  });
  const bridge = parts.use(await createBridge(parsed.config, { log, ...options.overrides }));

  async function nextEvent<K extends EventName>(
    name: K,
    matches: (event: BridgeEvents[K]) => boolean = () => true,
  ): Promise<BridgeEvents[K]> {
    const { promise, resolve, reject } = Promise.withResolvers<BridgeEvents[K]>();
    const off = bridge.events.on(name, (event) => {
      if (matches(event)) resolve(event);
    });
    const timer = setTimeout(() => reject(new Error(`waited 10 s for ${name}`)), 10_000);
    return promise.finally(() => {
      off();
      clearTimeout(timer);
    });
  }

  if (options.ready !== false) {
    const missing = () => bridge.fleet.backends.some((backend) => backend.state.status !== 'ready');
    while (missing()) await nextEvent('backend:ready');
  }

  const credentials = await createCredentials(bridge.url, access, role);
  const send = (path: string, init: RequestInit) =>
    fetch(`${bridge.url}${path}`, {
      ...init,
      headers: { connection: 'close', ...credentials, ...init.headers },
    });
  const owned = parts.move();
  return {
    bridge,
    url: bridge.url,
    wsUrl: bridge.url.replace(/^http/, 'ws'),
    sims,
    get sim() {
      const [first] = sims;
      if (first === undefined) throw new Error('this test has no simulated backend');
      return first;
    },
    dataDir,
    credentials,
    errors,
    nextEvent,
    get: (path, init = {}) => send(path, init),
    post: (path, body, init = {}) =>
      send(path, {
        method: 'POST',
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        ...init,
      }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
