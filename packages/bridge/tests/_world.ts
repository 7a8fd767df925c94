import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startSim } from '@comfy-bridge/comfy-sim';
import type { Sim, SimOptions } from '@comfy-bridge/comfy-sim';

import { startBridge } from './_start-bridge.ts';
import type { StartOptions, TestBridge } from './_start-bridge.ts';

export interface World extends AsyncDisposable {
  /** The first ComfyUI. */
  readonly sim: Sim;
  readonly sims: readonly Sim[];
  readonly dataDir: string;
  /** The next process of the bridge, with what the last one left on disk. */
  start(options?: StartOptions): Promise<TestBridge>;
}

/** ComfyUIs and a data directory that outlive the bridge; they keep their names however many of them a start lists. */
export async function startWorld(count = 1, simOptions: SimOptions = {}): Promise<World> {
  await using parts = new AsyncDisposableStack();
  const sims = await Promise.all(Array.from({ length: count }, () => startSim(simOptions)));
  for (const sim of sims) parts.use(sim);
  const [sim] = sims;
  if (sim === undefined) throw new Error('a world without a ComfyUI');
  const dataDir = await mkdtemp(join(tmpdir(), 'bridge-world-'));
  parts.defer(() => rm(dataDir, { recursive: true, force: true }));
  const owned = parts.move();
  return {
    sim,
    sims,
    dataDir,
    start: ({ env, ...options } = {}) =>
      startBridge({
        sims: 0,
        dataDir,
        ...options,
        env: { JOB_STORE: 'sqlite', COMFYUI_SERVERS: nameAll(sims), ...env },
      }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** `a=127.0.0.1:1234,b=…` */
export function nameAll(sims: readonly Sim[]): string {
  return sims.map(({ address }, index) => `${'abcdefgh'[index]}=${address}`).join(',');
}
