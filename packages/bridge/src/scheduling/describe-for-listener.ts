import type { CompatFrameExtras, Progress } from '@comfy-bridge/protocol';

import type { Job } from '../jobs/job.ts';
import { publicStatus } from '../jobs/v2-view.ts';
import type { Scheduler } from './scheduler.ts';

/** The fields that a listener gets who asked for more (`events=2`). The estimate is that of the plan, or of the run under way. */
export function describeForListener(
  { scheduler, now }: { scheduler: Scheduler; now: () => number },
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
    etaSeconds: secondsLeft(scheduler.forecast(job)),
  };

  function secondsLeft(forecast: ReturnType<Scheduler['forecast']>): number | null {
    return forecast === undefined ? null : Math.max(0, Math.round((forecast.finishAt - now()) / 1000));
  }
}
