import type { CompatFrame, CompatFrameExtras, CompatStatus, Progress } from '@comfy-bridge/protocol';

import { assertNever } from '../lib/assert-never.ts';
import type { Job } from './job.ts';

/** How the compatibility API tells of a job, the same over WebSocket and in `/execution-info`. Pure. */
export function compatFrame(
  status: CompatStatus,
  detail: string,
  extras: CompatFrameExtras = {},
): CompatFrame {
  return { status, details: detail, detail, ...extras };
}

export const connectedFrame = compatFrame('connected', 'server connected');
export const listeningFrame = compatFrame('listening', 'server is listening');

/** A percentage with two decimals. Rounded down, so that 100.00% is said only when all is done. */
export function formatPercent(value: number): string {
  // The tiny addition undoes what binary fractions lose: 0.0003 * 10000 is 2.9999…
  const hundredths = Math.floor(Math.min(1, Math.max(0, value)) * 10_000 + 1e-6);
  return `${(hundredths / 100).toFixed(2)}%`;
}

/** The most that is told of a job whose results are not kept yet. */
const almostDone = 0.9999;

/** The original's words, which clients know: `time out error: exceed 60s`. */
export function timeOutMessage(limitMs: number): string {
  return `time out error: exceed ${Number((limitMs / 1000).toFixed(3))}s`;
}

/** What a client hears of its job now. */
export function describeJob(job: Job, progress: Progress | undefined): CompatFrame {
  const { state } = job;
  switch (state.status) {
    case 'queued':
      return connectedFrame;
    case 'running':
      // Staged but not started: still waiting, as far as the client is concerned.
      return state.phase === 'staging' && progress === undefined
        ? connectedFrame
        : compatFrame('progress', formatPercent(Math.min(almostDone, progress?.value ?? 0)));
    case 'canceling':
    case 'canceled':
      return compatFrame('error', 'the job was interrupted');
    case 'succeeded':
      return compatFrame('closed', 'Execution is done');
    case 'failed':
      return compatFrame('error', state.error.message);
    case 'expired':
      return compatFrame('error', 'the results of this job have expired');
    default:
      return assertNever(state);
  }
}
