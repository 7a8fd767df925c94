import type { PromptRun, Sim } from '@comfy-bridge/comfy-sim';

/** Gives every prompt that a stepped simulator starts to `onRun`, until the simulator is closed. */
export function driveSim(sim: Sim | undefined, onRun: (run: PromptRun) => unknown): void {
  if (sim === undefined) throw new Error('there is no such simulator');
  void (async () => {
    for (;;) {
      const startedAt = performance.now();
      try {
        await onRun(await sim.nextPrompt());
      } catch {
        // Nothing came for a while, or it is closed: then it says so at once.
        if (performance.now() - startedAt < 1_000) return;
      }
    }
  })();
}
