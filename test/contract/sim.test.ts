import { afterAll, describe } from 'vitest';
import { startSim } from '@comfy-bridge/comfy-sim';
import { comfyContract } from './comfy-contract.suite.ts';

const sim = await startSim({ mode: 'free', stepMs: 5 });

describe('simulated ComfyUI', () => {
  comfyContract({ url: sim.url, hasTraceNodes: true });
  afterAll(() => sim.close());
});
