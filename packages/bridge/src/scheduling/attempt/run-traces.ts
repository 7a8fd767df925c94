import type { Backend } from '../../backends/fleet.ts';
import type { Events } from '../../events.ts';
import type { Logger } from '../../logging.ts';
import { createDonorForgetter } from './forget-on-donors.ts';
import { createPromptForgetter } from './forget-prompts.ts';

/**
 * What runs leave on backends, and its removal once nobody needs it. On a machine that is lent all of it goes: outputs,
 * uploads, history. Of a stock ComfyUI only the history can be cleared.
 */
export interface Traces {
  begin(backend: Backend): RunTraces;
  /** Sends what still waits; takes a second at the most. */
  stop(): Promise<void>;
}

/** Of one run. Disposing without `forget` leaves all as it is. */
export interface RunTraces extends Disposable {
  /** The run puts a file of that name there, or has: until it is over nobody deletes it. Resolves when it may be sent. */
  claim(input: string): Promise<void>;
  /** The run is over, and what became of its job is written down. */
  forget(promptId: string): void;
}

export function createTraces(
  deps: { events: Events; log: Logger },
  { cleanUp }: { cleanUp: boolean },
): Traces {
  const prompts = createPromptForgetter(deps);
  /** How many runs need a file, by name. */
  const claims = new Map<Backend, Map<string, number>>();
  const donors = createDonorForgetter({
    ...deps,
    isClaimed: (backend, input) => claims.get(backend)?.has(input) === true,
    forgetAtStock(backend, promptId) {
      if (cleanUp) prompts.forget(backend, promptId);
    },
  });

  function change(backend: Backend, input: string, by: 1 | -1): void {
    const counts = claims.get(backend) ?? new Map<string, number>();
    claims.set(backend, counts);
    const count = (counts.get(input) ?? 0) + by;
    if (count > 0) counts.set(input, count);
    else counts.delete(input);
    if (counts.size === 0) claims.delete(backend);
  }

  return {
    begin(backend) {
      const inputs = new Set<string>();
      function release(): string[] {
        const released = [...inputs];
        inputs.clear();
        for (const input of released) change(backend, input, -1);
        return released;
      }
      return {
        async claim(input) {
          if (!inputs.has(input)) change(backend, input, 1);
          inputs.add(input);
          await donors.untilKept(backend, input);
        },
        forget(promptId) {
          donors.forget(backend, { promptId, inputs: release() });
        },
        [Symbol.dispose]: () => void release(),
      };
    },
    async stop() {
      await Promise.all([prompts.stop(), donors.stop()]);
    },
  };
}
