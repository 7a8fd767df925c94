import type { Job } from '../jobs/job.ts';
import type { ClassifyJob } from './classify-job.ts';
import { explainAbsence } from './explain-placement.ts';
import type { ExplainDeps } from './explain-placement.ts';

/**
 * For a job that waits although nobody is before it: what each machine that could run it is up to (paused, by whom and until
 * when, lost, quarantined, …), in words for people. Null when one of them takes work, and for a job that does not wait.
 */
export type WhyWaiting = (job: Job) => string | null;

export function createWhyWaiting({
  classify,
  ...deps
}: Pick<ExplainDeps, 'fleet' | 'judge' | 'seats' | 'now'> & { classify: ClassifyJob }): WhyWaiting {
  return (job) => (job.state.status === 'queued' ? (explainAbsence(deps, classify(job)) ?? null) : null);
}
