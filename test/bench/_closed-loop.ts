import type { JobOutcome } from './_direct-client.ts';
import { summarize } from './_stats.ts';
import type { Summary } from './_stats.ts';

export interface LoadResult {
  jobsPerSecond: number;
  /** ms from a client's first step to the result's last byte; of the jobs that ended in the window. */
  latency: Summary;
  /** Over the whole run, also outside the window. */
  jobs: number;
  lost: number;
  wrong: number;
}

/**
 * So many clients, each running one job after the other. What ends between the warm-up and the end of the window counts;
 * then no job is started any more, and those under way are waited for, so that a lost one shows.
 */
export async function runClosedLoop(
  runJob: () => Promise<JobOutcome>,
  { clients, warmUpMs, windowMs }: { clients: number; warmUpMs: number; windowMs: number },
): Promise<LoadResult> {
  const opensAt = performance.now() + warmUpMs;
  const closesAt = opensAt + windowMs;
  const latencies: number[] = [];
  const counts: Record<JobOutcome, number> = { right: 0, wrong: 0, lost: 0 };

  async function client(): Promise<void> {
    while (performance.now() < closesAt) {
      const startedAt = performance.now();
      const outcome = await runJob();
      const endedAt = performance.now();
      counts[outcome] += 1;
      if (outcome === 'right' && endedAt >= opensAt && endedAt < closesAt)
        latencies.push(endedAt - startedAt);
    }
  }

  await Promise.all(Array.from({ length: clients }, client));
  return {
    jobsPerSecond: (latencies.length / windowMs) * 1000,
    latency: summarize(latencies),
    jobs: counts.right + counts.wrong + counts.lost,
    lost: counts.lost,
    wrong: counts.wrong,
  };
}
