import { BridgeError, JobFailedError } from '@comfy-bridge/client';
import type { Bridge, JobResult } from '@comfy-bridge/client';

import { CliError, exitCodes } from '../cli-error.ts';
import { toPlainText } from '../display-width.ts';
import { toCliError } from './connect-client.ts';
import type { BridgeAddress } from '../find-bridge.ts';
import type { ProgressLine } from './progress-line.ts';

export interface WaitDeps {
  address: BridgeAddress;
  client: Bridge;
  progress: ProgressLine;
}

/** Waits for the end of a job and shows how it goes. Throws a `CliError` unless it ends well; the abort's reason at an abort. */
export async function waitForJob(
  { address, client, progress }: WaitDeps,
  id: string,
  { signal, timeoutMs }: { signal: AbortSignal; timeoutMs: number | undefined },
): Promise<JobResult> {
  const standing: { state: string; value?: number; doing?: string } = { state: 'queued' };
  // What a lost attempt had reached is not true of one that waits.
  const tell = () =>
    progress.show(standing.state.startsWith('queued') ? { state: standing.state } : standing);
  try {
    return await client.job(id).result({
      signal,
      timeoutMs,
      onStatus({ status, queue_position: before }) {
        standing.state = status === 'queued' && before ? `queued, ${before} before it` : status;
        // The line is about to go.
        if (!isOver(status)) tell();
      },
      onProgress({ value, message }) {
        standing.value = value;
        standing.doing = message ?? '';
        tell();
      },
    });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof BridgeError && error.code === 'timed_out') throw tooLate(id);
    if (error instanceof JobFailedError) throw failed(error);
    throw lost(id, toCliError(address, error));
  }
}

function isOver(status: string): boolean {
  return !['queued', 'running', 'canceling'].includes(status);
}

function tooLate(id: string): CliError {
  return new CliError(
    exitCodes.timedOut,
    `it is not done yet, and goes on: comfy-bridge jobs watch ${id}, or jobs cancel ${id}`,
  );
}

function failed({ job, message }: JobFailedError): CliError {
  const node = job.error?.class_type ?? job.error?.node_id ?? undefined;
  const where = node === undefined ? '' : ` (${toPlainText(node)})`;
  return new CliError(exitCodes.failed, `the job ${job.status}: ${toPlainText(message)}${where}`);
}

/** The job does not mind that nobody can ask after it. */
function lost(id: string, error: unknown): unknown {
  if (!(error instanceof CliError) || error.exitCode !== exitCodes.unreachable) return error;
  const message = `${error.message}\nThe job may go on: comfy-bridge jobs watch ${id}`;
  return new CliError(exitCodes.unreachable, message, { cause: error });
}
