import { startSim } from '@comfy-bridge/comfy-sim';
import type { PromptRun } from '@comfy-bridge/comfy-sim';

import { toJobNumber } from './_job-number.ts';

/** A free-running simulated ComfyUI as a program, which also says on stdout each prompt that it starts and how it ends. */
const { port, stepMs, runMs } = JSON.parse(process.argv[2] ?? '{}') as {
  port: number;
  stepMs: number;
  runMs: number | null;
};
const sim = await startSim({
  port,
  stepMs,
  runMs,
  mode: 'free',
  name: `port ${port}`,
  models: { upscale_models: ['flat_x1.pth'] },
});

function tell(line: unknown): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function report({ promptId, prompt, done }: PromptRun): void {
  const number = toJobNumber(prompt);
  tell({ started: { promptId, number, at: Date.now() } });
  void done.then((outcome) => tell({ ended: { promptId, number, outcome, at: Date.now() } }));
}

async function reportAll(): Promise<never> {
  for (;;) {
    try {
      report(await sim.nextPrompt());
    } catch {
      // Nothing came for a while; the next round waits again.
    }
  }
}

// Several wait, since one prompt may follow the other at once.
for (let lane = 0; lane < 4; lane += 1) void reportAll();
tell({ listening: sim.url });
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.on('message', () => {});
