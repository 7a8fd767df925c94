import { startSim } from '@comfy-bridge/comfy-sim';
import type { Sim, SimOptions } from '@comfy-bridge/comfy-sim';

import { accessSettings, createCredentials } from '../../packages/bridge/tests/_access.ts';
import type { AccessMode } from '../../packages/bridge/tests/_access.ts';
import { startBackend } from './_backend-process.ts';
import type { BackendOptions, BackendProcess } from './_backend-process.ts';
import { startBridgeProcess } from './_bridge-process.ts';
import type { BridgeProcess, CrashWish } from './_bridge-process.ts';
import { createCalls } from './_calls.ts';
import type { Calls } from './_calls.ts';
import { startClient } from './_client.ts';
import type { Client, ClientOptions } from './_client.ts';
import { startFaultProxy } from './_fault-proxy.ts';
import type { FaultProxy } from './_fault-proxy.ts';
import { toJobNumber } from './_job-number.ts';
import type { JobRecord } from './_job-record.ts';
import { judge } from './_oracle.ts';
import type { SeenPrompt } from './_oracle.ts';
import { findLeftovers } from './_leftovers.ts';
import { waitUntil } from './_wait-until.ts';

export interface RigOptions {
  /** Simulated backends in processes of their own, running freely. */
  backends?: readonly BackendOptions[] | readonly BackendProcess[];
  /** Simulated backends in this process, driven step by step unless they say otherwise. */
  sims?: readonly SimOptions[];
  /** A proxy between the bridge and each backend. */
  links?: boolean;
  /** A proxy between the clients and the bridge, for their WebSockets and, but for the results, their calls. */
  front?: boolean;
  env?: Record<string, string>;
  /** Default `keys off`. With `keys on` every client of the rig shows the same key. */
  access?: AccessMode;
  crashAt?: CrashWish;
  /** Wait until every backend is ready; default true. */
  ready?: boolean;
}

export interface Rig extends AsyncDisposable {
  readonly bridge: BridgeProcess;
  readonly backends: readonly BackendProcess[];
  readonly sims: readonly Sim[];
  readonly links: readonly FaultProxy[];
  readonly front: FaultProxy | undefined;
  readonly calls: Calls;
  /** Headers by which a client of this rig shows who it is; none with keys off. */
  readonly credentials: Readonly<Record<string, string>>;
  /** With keys on: calls of somebody else, who has a key too. With keys off, of anybody. */
  stranger(): Promise<Calls>;
  readonly records: readonly JobRecord[];
  /** Starts a client with the next number. */
  client(options?: Partial<ClientOptions>): Client;
  untilReady(count?: number): Promise<void>;
  /** Lets every free-running backend do a job: a new one is given one at a time until then. */
  warmUp(): Promise<void>;
  prompts(): SeenPrompt[];
  /** Waits for every client, then for what they leave behind to be gone; every violation in one line. */
  verdict(): Promise<string[]>;
}

let lastNumber = Math.floor(Math.random() * 0xff_ffff);

/** Whatever the seed, numbers do not repeat within a process: a backend that ran one before would have it cached. */
export function nextNumber(): number {
  // Coprime to 2^24 - 1, so that all colours but black come once.
  lastNumber = (lastNumber + 7_654_321) % 0xff_ffff;
  return lastNumber + 1;
}

function isRunningBackend(item: BackendOptions | BackendProcess): item is BackendProcess {
  return 'address' in item;
}

/** A bridge as a process, its backends, the network between them, and clients whose every word is written down. */
export async function startRig(options: RigOptions): Promise<Rig> {
  await using parts = new AsyncDisposableStack();
  const backends = await Promise.all(
    (options.backends ?? []).map(async (wanted) =>
      isRunningBackend(wanted) ? wanted : parts.use(await startBackend(wanted)),
    ),
  );
  const models = { upscale_models: ['flat_x1.pth'] };
  const sims = await Promise.all((options.sims ?? []).map((own) => startSim({ models, ...own })));
  for (const sim of sims) parts.use(sim);
  const addresses = [...backends, ...sims].map(({ address }) => address);
  const links: FaultProxy[] = [];
  for (const address of options.links === true ? addresses : []) {
    links.push(parts.use(await startFaultProxy(toTarget(address))));
  }
  const { env, crashAt, access = 'keys off' } = options;
  const bridge = parts.use(
    await startBridgeProcess({
      backends: links.length > 0 ? links.map((link) => link.address) : addresses,
      env: { ...accessSettings(access), ...env },
      crashAt,
    }),
  );
  const newCredentials = () => createCredentials(bridge.url, access);
  const credentials = await newCredentials();
  const front =
    options.front === true
      ? parts.use(await startFaultProxy(toTarget(`127.0.0.1:${bridge.port}`)))
      : undefined;
  const calls = parts.use(createCalls(() => bridge.url, { credentials }));
  const clientCalls = front === undefined ? calls : splitCalls(parts, calls, { front, credentials });
  const clients: Client[] = [];
  parts.defer(() => clients.forEach((client) => client.stop()));
  const records: JobRecord[] = [];

  async function untilReady(count = addresses.length): Promise<void> {
    await waitUntil(
      `${count} ready backends`,
      async () =>
        (await calls.get('/readyz').catch(() => undefined))?.text.includes(`"ready":${count},`) ?? false,
      { withinMs: 15_000 },
    );
  }

  function prompts(): SeenPrompt[] {
    const ofSims = sims.flatMap(({ requests }) =>
      requests
        .filter(({ method, path }) => method === 'POST' && path.endsWith('/prompt'))
        .map(({ at, body }) => ({ at, number: toJobNumber((body as { prompt?: never })?.prompt ?? {}) })),
    );
    return [...backends.flatMap(({ started }) => started), ...ofSims];
  }

  if (options.ready !== false && crashAt === undefined) await untilReady();
  const owned = parts.move();
  function client(own: Partial<ClientOptions> = {}): Client {
    const started = startClient(
      {
        calls: clientCalls,
        credentials,
        socketUrl: () => `ws://${front?.address ?? `127.0.0.1:${bridge.port}`}/ws`,
        life: () => bridge.life,
      },
      { number: nextNumber(), kind: 'ws', ...own },
    );
    clients.push(started);
    records.push(started.record);
    return started;
  }

  return {
    bridge,
    backends,
    sims,
    links,
    front,
    calls,
    credentials,
    async stranger() {
      const others = await newCredentials();
      return owned.use(createCalls(() => bridge.url, { credentials: others }));
    },
    records,
    client,
    untilReady,
    async warmUp() {
      await Promise.all(addresses.map(() => client({ workflow: 'steps', steps: 5 }).done));
    },
    prompts,
    async verdict() {
      await Promise.all(clients.map(({ done }) => done));
      return [
        ...judge(records, prompts()),
        ...(await findLeftovers({ bridge, backends, sims, calls, records })),
      ];
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/**
 * Results are fetched past the proxy: what a network swallows after the bridge has sent it, no server can know, and a
 * broken transfer has a row of its own.
 */
function splitCalls(
  parts: AsyncDisposableStack,
  direct: Calls,
  { front, credentials }: { front: FaultProxy; credentials: Readonly<Record<string, string>> },
): Calls {
  const proxied = parts.use(createCalls(() => `http://${front.address}`, { credentials }));
  return { ...proxied, get: (path) => (path.startsWith('/history') ? direct : proxied).get(path) };
}

function toTarget(address: string): { host: string; port: number } {
  const [host = '127.0.0.1', port = ''] = address.split(':');
  return { host, port: Number(port) };
}
