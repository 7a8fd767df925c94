import { ComfyError } from '../comfy/comfy-error.ts';
import type { Events } from '../events.ts';
import type { Logger } from '../logging.ts';
import type { Backend } from './fleet.ts';
import { noteLending } from './lending.ts';

/**
 * Asks a backend whether its owner lends it, now: a machine that is lent at each look, a stock ComfyUI once while it is
 * there. Never rejects.
 */
export function createLendingLook(
  { backend, events, log }: { backend: Backend; events: Events; log: Logger },
  { now }: { now: () => number },
): { look(signal: AbortSignal): Promise<void>; reset(): void } {
  return {
    /** It was away: another ComfyUI may be there now. */
    reset() {
      backend.lending ??= undefined;
    },
    async look(signal) {
      const before = backend.lending;
      if (before === null) return;
      try {
        const status = await backend.client.donorStatus(signal);
        // What a socket told meanwhile was later.
        if (backend.lending === before) noteLending({ events, now }, backend, status);
      } catch (error) {
        // Something answers any path with a page of its own: that is no donor either.
        const isNone = error instanceof ComfyError && error.failure === 'malformed';
        if (isNone && before === undefined) backend.lending = null;
        else log.debug({ backend: backend.name, err: error }, 'could not ask a backend whether it is lent');
      }
    },
  };
}
