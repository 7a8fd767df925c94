import type { Fleet } from '../backends/fleet.ts';
import { describeOwnersPause, isPausedByOwner } from '../backends/lending.ts';
import type { Job } from '../jobs/job.ts';
import type { ClassifyJob } from './classify-job.ts';
import type { BackendJudge } from './judge-backend.ts';

/** Backends that a reason names. */
const mostNamed = 5;

/**
 * For a job that waits because the owners of all machines that could run it have paused them: which, and until when, in
 * words for people. Null when it waits for something else, or not at all.
 */
export type WhyWaiting = (job: Job) => string | null;

export function createWhyWaiting({
  fleet,
  judge,
  classify,
}: {
  fleet: Fleet;
  judge: BackendJudge;
  classify: ClassifyJob;
}): WhyWaiting {
  return (job) => {
    if (job.state.status !== 'queued' || !fleet.backends.some(isPausedByOwner)) return null;
    const kind = classify(job);
    const able = fleet.backends.filter((backend) => judge.verdict(kind, backend).able);
    const there = able.filter(({ state }) => state.status === 'ready');
    const paused = there.filter(isPausedByOwner);
    if (paused.length === 0 || paused.length < there.length) return null;
    const named = paused
      .slice(0, mostNamed)
      .map((backend) => `${backend.name} ${describeOwnersPause(backend)}`);
    const more = paused.length - named.length;
    return `${named.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
  };
}
