import type { JobError } from '@comfy-bridge/protocol';

import { timeOutMessage } from '../jobs/compat-view.ts';
import { assertNever } from '../lib/assert-never.ts';

/** How one attempt ended, other than well. */
export type AttemptFailure =
  /** The machine went away, or lost the prompt. */
  | { kind: 'backend-lost'; reason: string }
  /** The prompt ran but gave no sign of life for too long. */
  | { kind: 'timed-out'; afterMs: number }
  /** ComfyUI refused the prompt. `elsewhere`: another backend may take it (a model or node is missing here). */
  | { kind: 'rejected'; error: JobError; elsewhere: boolean }
  /** A node threw. */
  | { kind: 'execution-error'; error: JobError }
  /** Somebody interrupted the prompt on the ComfyUI itself. */
  | { kind: 'interrupted-there' }
  /** What came back did not pass the checks. */
  | { kind: 'result-refused'; reason: string };

export type RetryDecision = { retry: true; exclude: boolean } | { retry: false; error: JobError };

export interface RetryCircumstances {
  /** Counts from 1. */
  attempt: number;
  maxAttempts: number;
  /** True when a backend that has not lost this job yet could run it too. */
  othersCanRunIt: boolean;
}

/** Pure: after an attempt failed, try again or give up, and with which words. */
export function decideRetry(failure: AttemptFailure, circumstances: RetryCircumstances): RetryDecision {
  const error = toJobError(failure);
  if (circumstances.attempt >= circumstances.maxAttempts) return { retry: false, error };
  const elsewhere = (sensible: boolean): RetryDecision =>
    sensible && circumstances.othersCanRunIt ? { retry: true, exclude: true } : { retry: false, error };
  switch (failure.kind) {
    case 'backend-lost':
      // Worth another try even where it was: a machine that restarted is as good as new.
      return { retry: true, exclude: true };
    case 'result-refused':
      return elsewhere(true);
    case 'rejected':
      return elsewhere(failure.elsewhere);
    case 'execution-error':
      return elsewhere(failure.error.code === 'out_of_memory');
    case 'timed-out':
    case 'interrupted-there':
      return { retry: false, error };
    default:
      return assertNever(failure);
  }
}

/** The words that a client gets for a failed attempt. */
export function toJobError(failure: AttemptFailure): JobError {
  switch (failure.kind) {
    case 'backend-lost':
      return {
        code: 'backend_lost',
        message: 'the machine that ran this job was lost; please submit it again',
      };
    case 'timed-out':
      return { code: 'timed_out', message: timeOutMessage(failure.afterMs) };
    case 'rejected':
    case 'execution-error':
      return failure.error;
    case 'interrupted-there':
      return {
        code: 'interrupted',
        message: 'the job was interrupted by the owner of the machine that ran it',
      };
    case 'result-refused':
      return { code: 'result_refused', message: failure.reason };
    default:
      return assertNever(failure);
  }
}
