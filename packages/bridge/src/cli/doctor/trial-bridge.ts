import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { createBridge } from '../../bridge.ts';
import type { Bridge } from '../../bridge.ts';
import type { BridgeConfig } from '../../config/bridge-config.ts';
import { createLogger } from '../../logging.ts';

/** So long its machines have to be reached and to list their nodes. */
const settleMs = 15_000;

export interface TrialBridge extends AsyncDisposable {
  readonly url: string;
}

/**
 * A bridge with these settings for a moment, where none is running: on a free port of this machine, with a data directory of its
 * own, so that nothing of it stays. What it says of machines and workflows is what the real one would.
 */
export async function startTrialBridge(config: BridgeConfig): Promise<TrialBridge> {
  await using parts = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), 'comfy-bridge-doctor-'));
  parts.defer(() => rm(dataDir, { recursive: true, force: true }));
  const bridge = parts.use(await createBridge(toTrial(config, dataDir), { log: silentLog() }));
  await untilSettled(bridge);
  const owned = parts.move();
  return { url: bridge.url, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function toTrial(config: BridgeConfig, dataDir: string): BridgeConfig {
  return {
    ...config,
    server: { ...config.server, host: '127.0.0.1', port: 0, basePath: '', shutdownTimeoutMs: 0 },
    files: { ...config.files, dataDir },
    jobs: { ...config.jobs, store: 'memory', currentStateFile: join(dataDir, 'current_state.json') },
    operator: { token: undefined, keysRequired: false },
  };
}

function silentLog() {
  return createLogger({ level: 'error', format: 'json', destination: { write() {} } });
}

async function untilSettled({ fleet }: Bridge): Promise<void> {
  const until = Date.now() + settleMs;
  const isOpen = () =>
    fleet.backends.some(({ state, definitions, offerProblem }) => {
      if (state.status === 'lost') return false;
      return state.status !== 'ready' || (definitions === undefined && offerProblem === null);
    });
  while (isOpen() && Date.now() < until) await delay(50);
}
