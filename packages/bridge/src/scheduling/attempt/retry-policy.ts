import type { JobError } from '@comfy-bridge/protocol';

import type { Lack } from '../../backends/fleet.ts';
import { timeOutMessage } from '../../jobs/compat-view.ts';
import { assertNever } from '../../lib/assert-never.ts';

/** How one attempt ended, other than well. */
export type AttemptFailure =
  /** The machine went away, or (`vanished`) is there and has lost the prompt, as after a restart. */
  | { kind: 'backend-lost'; reason: string; vanished: boolean }
  /** The attempt was taken over from an earlier process of the bridge, and its prompt never arrived or is gone. */
  | { kind: 'not-there'; reason: string }
  /** It waited in the backend's queue while others had room. */
  | { kind: 'taken-back'; reason: string }
  /** Its owner wants the machine, or allows no more prompts there. */
  | { kind: 'withheld'; reason: string }
  /** The prompt ran but gave no sign of life for too long. `stuck`: it could not be stopped either. */
  | { kind: 'timed-out'; afterMs: number; stuck: boolean }
  /**
   * ComfyUI refused the prompt. `elsewhere`: another backend may take it (a model or node is missing here). `lacks`: what is
   * missing although it is listed there.
   */
  | { kind: 'rejected'; error: JobError; elsewhere: boolean; lacks: readonly Lack[] }
  /** A node threw; with `lacks`, because of files that are listed there and missing. */
  | { kind: 'execution-error'; error: JobError; lacks?: readonly Lack[] }
  /** Somebody interrupted the prompt on the ComfyUI itself. */
  | { kind: 'interrupted-there' }
  /** What came back did not pass the checks. */
  | { kind: 'result-refused'; reason: string };

export type RetryDecision =
  /** `free`: no fault of this job or of its backend, so it costs neither a try nor the retry budget. */
  { retry: true; exclude: boolean; free?: boolean; error: JobError } | { retry: false; error: JobError };

export interface RetryCircumstances {
  /** Tries that count, this one included: from 1. */
  attempt: number;
  maxAttempts: number;
  /** Earlier attempts of it on this backend that ended by nobody's fault. */
  movedFromThere: number;
  /** True when a backend that has not lost this job yet could run it too. */
  othersCanRunIt: boolean;
}

/** A job goes back so often to a machine whose owner paused it in the middle, while others could run it. */
const mostReturns = 2;

/** Pure: after an attempt failed, try again or give up, and with which words. */
export function decideRetry(failure: AttemptFailure, circumstances: RetryCircumstances): RetryDecision {
  const error = toJobError(failure);
  // Each of these needs a restart of the bridge or a move to a better place: they end by themselves.
  if (failure.kind === 'not-there') return { retry: true, exclude: false, free: true, error };
  if (failure.kind === 'withheld') {
    // It may go back there, once that is lent again; after several times others come first.
    return { retry: true, exclude: circumstances.movedFromThere >= mostReturns, free: true, error };
  }
  if (failure.kind === 'taken-back') return { retry: true, exclude: true, free: true, error };
  if (circumstances.attempt >= circumstances.maxAttempts) return { retry: false, error };
  const elsewhere = (sensible: boolean): RetryDecision =>
    sensible && circumstances.othersCanRunIt
      ? { retry: true, exclude: true, error }
      : { retry: false, error };
  switch (failure.kind) {
    case 'backend-lost':
      // Worth another try even where it was: a machine that restarted is as good as new.
      return { retry: true, exclude: !failure.vanished, error };
    case 'result-refused':
      return elsewhere(true);
    case 'rejected':
      return elsewhere(failure.elsewhere);
    case 'execution-error':
      if (failure.lacks !== undefined && failure.lacks.length > 0) return elsewhere(true);
      if (failure.error.code !== 'out_of_memory') return { retry: false, error };
      // A bigger machine if there is one; else once more where it was, now that its memory is freed.
      if (circumstances.othersCanRunIt) return { retry: true, exclude: true, error };
      return circumstances.attempt === 1 ? { retry: true, exclude: false, error } : { retry: false, error };
    case 'timed-out':
      return elsewhere(true);
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
    case 'not-there':
    case 'taken-back':
    case 'withheld':
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
