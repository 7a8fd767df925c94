import type { CompatFrameExtras, Progress } from '@comfy-bridge/protocol';

import type { Job } from '../jobs/job.ts';
import { publicStatus } from '../jobs/v2-view.ts';
import type { RunTimes } from './run-times.ts';
import type { Scheduler } from './scheduler.ts';

/** The fields that a listener gets who asked for more (`events=2`). The estimate is what runs of this workflow took. */
export function describeForListener(
  { scheduler, runTimes, now }: { scheduler: Scheduler; runTimes: RunTimes; now: () => number },
  job: Job,
  progress: Progress | undefined,
): CompatFrameExtras {
  const { state } = job;
  const waits = publicStatus(job) === 'queued' && progress === undefined;
  return {
    jobId: job.id,
    state: waits ? 'queued' : state.status === 'queued' ? 'running' : state.status,
    queuePosition: state.status === 'queued' ? (scheduler.positionOf(job.id) ?? 0) : waits ? 0 : null,
    node: progress?.current_node ?? null,
    step: progress?.step ?? null,
    steps: progress?.steps ?? null,
    etaSeconds: waits || !('backend' in state) ? null : remainingSeconds(job, state.backend),
  };

  function remainingSeconds({ workflow, startedAt }: Job, backend: string): number {
    const elapsed = startedAt === null ? 0 : now() - startedAt;
    return Math.max(0, Math.round((runTimes.expect(workflow, backend) - elapsed) / 1000));
  }
}
