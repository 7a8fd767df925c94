import { readOutputs, selectDelivered } from '../../comfy/read-outputs.ts';
import type { Job, JobResult } from '../../jobs/job.ts';
import type { EarlyOutputs } from './early-outputs.ts';
import type { CollectOutcome, SuccessfulEnd } from './run-attempt.ts';
import type { KeepOutcome, RunResults } from './run-results.ts';

export interface CollectDeps {
  results: Pick<RunResults, 'fetchFile' | 'keepText'>;
  early: Pick<EarlyOutputs, 'find'>;
  /** One is kept that was not before. */
  onKept(result: JobResult): void;
}

/** Looked after at the same time. */
const parallel = 4;

/**
 * Sees that everything a finished prompt produced is in our own store, checked: what was fetched early is used, the rest is
 * fetched. The order of results is that of the outputs. All or nothing: when one is refused or gone, the others are of no use.
 */
export async function collectOutputs(
  { results, early, onKept }: CollectDeps,
  { job, end }: { job: Job; end: SuccessfulEnd },
  signal: AbortSignal,
): Promise<CollectOutcome> {
  const read = readOutputs(end.outputs, end.meta);
  const files = selectDelivered(read.files, job.outputNodes);
  const texts = read.texts.filter(({ nodeId }) => isDelivered(nodeId, job.outputNodes));

  async function keep(task: () => Promise<KeepOutcome>): Promise<KeepOutcome> {
    const kept = await task();
    if (kept.ok) onKept(kept.result);
    return kept;
  }

  const tasks = [
    ...files.map((file) => async (): Promise<KeepOutcome> => {
      const result = await early.find(file);
      return result === undefined ? keep(() => results.fetchFile(file, signal)) : { ok: true, result };
    }),
    ...texts.map((text, position) => () => keep(() => results.keepText({ ...text, position }))),
  ];
  if (tasks.length === 0) {
    return {
      ok: false,
      failure: {
        kind: 'execution-error',
        error: { code: 'no_results', message: 'the workflow ran but produced no result' },
      },
    };
  }
  const outcomes = await runInOrder(tasks);
  const failed = outcomes.find((outcome) => !outcome.ok);
  if (failed !== undefined) return failed;
  return { ok: true, results: outcomes.flatMap((outcome) => (outcome.ok ? [outcome.result] : [])) };
}

function isDelivered(nodeId: string, outputNodes: readonly string[]): boolean {
  return outputNodes.length === 0 || outputNodes.includes(nodeId);
}

/** Runs the tasks a few at a time; stops starting new ones once one has failed. */
async function runInOrder(tasks: readonly (() => Promise<KeepOutcome>)[]): Promise<KeepOutcome[]> {
  const outcomes: KeepOutcome[] = [];
  let next = 0;
  let failed = false;
  async function lane(): Promise<void> {
    while (next < tasks.length && !failed) {
      const index = next++;
      const outcome = await tasks[index]?.();
      if (outcome === undefined) return;
      outcomes[index] = outcome;
      failed ||= !outcome.ok;
    }
  }
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(parallel, tasks.length) }, lane));
  const thrown = lanes.find((lane) => lane.status === 'rejected');
  if (thrown !== undefined) throw thrown.reason;
  return outcomes.filter((outcome) => outcome !== undefined);
}
