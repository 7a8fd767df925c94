import { BridgeError, createBridge } from '@comfy-bridge/client';
import type { Bridge } from '@comfy-bridge/client';

import { notReached, toRefusal } from '../call-bridge.ts';
import { CliError, exitCodes } from '../cli-error.ts';
import type { BridgeAddress } from '../find-bridge.ts';

/** While a job runs, a bridge that went away is waited for this long: it may be restarted, or the line be down. Ms. */
const patienceMs = 10 * 60_000;

export interface Clients {
  /** Gives up soon: for what somebody waits for at once. */
  eager: Bridge;
  /** For the waiting. */
  patient: Bridge;
}

/** The typed client, as the command line uses it. `onLost`: the line broke; `onBack`: it stands again. */
export function connectClients(
  address: BridgeAddress,
  { onLost, onBack }: { onLost(): void; onBack(): void },
): Clients {
  const { url, key: apiKey } = address;
  let isLost = false;
  const watched: typeof fetch = async (input, init) => {
    try {
      const answer = await fetch(input, init);
      if (isLost) onBack();
      isLost = false;
      return answer;
    } catch (error) {
      if (!isLost && init?.signal?.aborted !== true) onLost();
      isLost = true;
      throw error;
    }
  };
  return {
    eager: createBridge({ url, apiKey, retryMs: 3_000 }),
    patient: createBridge({ url, apiKey, retryMs: patienceMs, fetch: watched }),
  };
}

/** What the client throws, as the end of a command. */
export function toCliError(address: BridgeAddress, error: unknown): unknown {
  if (!(error instanceof BridgeError)) return error;
  if (error.code === 'connection_failed') return notReached(address, error.cause);
  if (error.code === 'not_a_bridge') return new CliError(exitCodes.unreachable, error.message);
  if (error.status > 0) return toRefusal(address, error);
  return new CliError(exitCodes.failed, error.message);
}
