import type { BackendDescription } from '@comfy-bridge/protocol';
import type { ApiPrompt } from '@comfy-bridge/comfy-sim';

import { describeBackends } from './_donors.ts';
import type { TestBridge } from './_start-bridge.ts';

/** Canaries as fast as they go. */
export const oftenTried = { CANARY_INTERVAL: '0.05' };

/** A prompt that works on a picture of the bridge and needs no model, as canaries do. */
export function isCanary(prompt: ApiPrompt): boolean {
  const classes = Object.values(prompt).map((node) => node.class_type);
  return classes.includes('LoadImage') && !classes.some((name) => name.startsWith('KSampler'));
}

export const isJob = (prompt: ApiPrompt): boolean => !isCanary(prompt);

/** What operators are told of the first backend, or of that one. */
export async function describe(t: TestBridge, name = 'backend-1'): Promise<BackendDescription> {
  const backend = (await describeBackends(t))[name];
  if (backend === undefined) throw new Error(`there is no ${name}`);
  return backend;
}

/** Verdicts on its canaries so far: true where one was right. */
export function canariesOf(t: TestBridge, name = 'backend-1'): boolean[] {
  return (t.bridge.fleet.find(name)?.standing.canaries ?? []).map((one) => one === null);
}
