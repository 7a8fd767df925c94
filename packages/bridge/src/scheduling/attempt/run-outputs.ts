import type { Backend } from '../../backends/fleet.ts';
import type { Job, JobResult } from '../../jobs/job.ts';
import type { Logger } from '../../logging.ts';
import { collectOutputs } from './collect-outputs.ts';
import { createEarlyOutputs } from './early-outputs.ts';
import type { CollectOutcome, SuccessfulEnd } from './run-attempt.ts';
import { createRunResults } from './run-results.ts';
import type { RunResultsDeps } from './run-results.ts';

export interface RunOutputsDeps extends RunResultsDeps {
  /** A result is kept here, and can be had. */
  onKept(result: JobResult): void;
  /** What was kept is of no use, and is about to be removed. */
  onDropped(): void;
  log: Logger;
}

export interface OutputsRun {
  job: Job;
  backend: Backend;
  promptId: string;
  /** A second run keeps quiet and fetches nothing early, since the first one may still be done before it. */
  isHedge: boolean;
  /** An earlier process began it, and may have left files of it. */
  isTakenOver: boolean;
}

/** The outputs of one run, from the first that a node shows to the last. Disposing removes what its job does not get. */
export interface RunOutputs extends AsyncDisposable {
  /** A node has shown something while the rest of the prompt runs. */
  take(nodeId: string, output: Record<string, unknown>): void;
  /** The prompt is done: everything is collected, in its order. */
  collect(end: SuccessfulEnd, signal: AbortSignal): Promise<CollectOutcome>;
}

export function createRunOutputs(
  deps: RunOutputsDeps,
  { job, backend, promptId, isHedge, isTakenOver }: OutputsRun,
): RunOutputs {
  const log = deps.log.child({ jobId: job.id, backend: backend.name });
  const results = createRunResults(deps, { job, backend, promptId });
  const onKept = isHedge ? () => {} : deps.onKept;
  const early = createEarlyOutputs({ results, onKept, log }, job);
  /** What becomes the job's. */
  let kept: readonly JobResult[] = [];
  return {
    take(nodeId, output) {
      if (!isHedge) early.take(nodeId, output);
    },
    async collect(end, signal) {
      // What is being fetched early hears of nothing else, and is not waited for then.
      const stopEarly = () => void early.stop();
      signal.addEventListener('abort', stopEarly, { once: true });
      const outcome = await collectOutputs({ results, early, onKept }, { job, end }, signal).finally(() =>
        signal.removeEventListener('abort', stopEarly),
      );
      if (outcome.ok) kept = outcome.results;
      return outcome;
    },
    async [Symbol.asyncDispose]() {
      await early.stop();
      if (kept.length === 0 && !isHedge) deps.onDropped();
      try {
        await results.keepOnly(kept);
        if (isTakenOver) await results.removeEarlier();
      } catch (error) {
        log.warn({ err: error }, 'could not remove what a run has left; it is swept when its job has ended');
      }
    },
  };
}
