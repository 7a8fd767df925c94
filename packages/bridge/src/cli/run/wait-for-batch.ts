import { BridgeError } from '@comfy-bridge/client';
import type { Bridge, Settled } from '@comfy-bridge/client';

import { CliError, exitCodes } from '../cli-error.ts';
import type { BridgeAddress } from '../find-bridge.ts';
import { toPlainText } from '../display-width.ts';
import { toCliError } from './connect-client.ts';
import type { ProgressLine } from './progress-line.ts';

export interface WaitForBatchDeps {
  address: BridgeAddress;
  client: Bridge;
  progress: ProgressLine;
}

/** Waits until all jobs of a batch have ended, and tells of those that did not end well. */
export async function waitForBatch(
  { address, client, progress }: WaitForBatchDeps,
  id: string,
  { signal, timeoutMs }: { signal: AbortSignal; timeoutMs: number | undefined },
): Promise<Settled[]> {
  try {
    return await client.group(id).results({
      signal,
      timeoutMs,
      onProgress({ progress: value, counts, total }) {
        const done = total - counts.queued - counts.running;
        progress.show({ state: `${done} of ${total} done`, value });
      },
      onResult(result) {
        if (result.ok) return;
        progress.note(`${result.job.id} ${result.job.status}: ${toPlainText(result.error.message)}`);
      },
    });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof BridgeError && error.code === 'timed_out')
      throw new CliError(exitCodes.timedOut, `they are not done yet, and go on; batch ${id}`);
    throw toCliError(address, error);
  }
}
