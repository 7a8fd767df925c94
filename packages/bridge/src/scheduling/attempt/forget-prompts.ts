import type { Backend } from '../../backends/fleet.ts';
import type { Logger } from '../../logging.ts';

/**
 * Takes prompts out of the history of their backends, several in one call: what is there of them is of no use any more and
 * holds the caller's inputs. Best effort: what a backend does not hear of, it drops some day by itself.
 */
export interface PromptForgetter {
  forget(backend: Backend, promptId: string): void;
  /** Sends what still waits; takes a second at the most. */
  stop(): Promise<void>;
}

export interface PromptForgetterOptions {
  /** How long a prompt may wait for others, ms. */
  everyMs?: number;
  /** Prompts in one call. */
  maxPrompts?: number;
}

const stopMs = 1_000;

export function createPromptForgetter(
  { log }: { log: Logger },
  { everyMs = 500, maxPrompts = 100 }: PromptForgetterOptions = {},
): PromptForgetter {
  const waiting = new Map<Backend, { promptIds: string[]; timer: NodeJS.Timeout }>();

  async function send(backend: Backend, signal?: AbortSignal): Promise<void> {
    const batch = waiting.get(backend);
    if (batch === undefined) return;
    waiting.delete(backend);
    clearTimeout(batch.timer);
    try {
      await backend.client.forgetPrompts(batch.promptIds, signal);
    } catch (error) {
      log.debug({ backend: backend.name, err: error }, 'could not remove prompts from its history');
    }
  }

  function open(backend: Backend): { promptIds: string[]; timer: NodeJS.Timeout } {
    const batch = { promptIds: [], timer: setTimeout(() => void send(backend), everyMs).unref() };
    waiting.set(backend, batch);
    return batch;
  }

  return {
    forget(backend, promptId) {
      const { promptIds } = waiting.get(backend) ?? open(backend);
      promptIds.push(promptId);
      if (promptIds.length >= maxPrompts) void send(backend);
    },
    async stop() {
      const deadline = AbortSignal.timeout(stopMs);
      await Promise.all([...waiting.keys()].map((backend) => send(backend, deadline)));
    },
  };
}
