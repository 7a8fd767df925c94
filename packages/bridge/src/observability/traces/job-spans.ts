import type { AttemptRecord, Job } from '../../jobs/job.ts';

/** A part of a job's life: times in ms since the epoch, and what of it is told. Neither prompts nor who asked. */
export interface SpanPlan {
  name: string;
  start: number;
  end: number;
  attributes: Readonly<Record<string, string | number>>;
  /** Set when it ended badly. */
  error?: string;
  children: readonly SpanPlan[];
}

/**
 * The whole life of a job that has ended, from its own record: so a job that outlived a restart is told as a whole too.
 * `collectingSince`: when the results of each attempt began to be fetched, where this process has seen it.
 */
export function planJobSpans(job: Job, collectingSince: ReadonlyMap<number, number>): SpanPlan {
  const end = job.finishedAt ?? job.createdAt;
  const { state } = job;
  const error = state.status === 'failed' ? state.error.code : undefined;
  return {
    name: 'job',
    start: job.createdAt,
    end,
    attributes: {
      'comfy_bridge.job.id': job.id,
      'comfy_bridge.job.workflow': job.workflow,
      'comfy_bridge.job.status': state.status,
      'comfy_bridge.job.attempts': job.attempts.length,
      ...(error !== undefined && { 'error.type': error }),
    },
    ...(error !== undefined && { error }),
    children: planParts(job, end, collectingSince),
  };
}

/** Waits and attempts, one behind the other. */
function planParts(job: Job, end: number, collectingSince: ReadonlyMap<number, number>): SpanPlan[] {
  const parts: SpanPlan[] = [];
  let waitingSince = job.createdAt;
  const first = job.attempt - job.attempts.length + 1;
  for (const [index, attempt] of job.attempts.entries()) {
    const number = first + index;
    const endedAt = attempt.endedAt ?? end;
    if (attempt.startedAt >= waitingSince) parts.push(toWait(waitingSince, attempt.startedAt));
    parts.push(planAttempt(attempt, { number, endedAt, collectingAt: collectingSince.get(number) }));
    waitingSince = endedAt;
  }
  const last = job.attempts.at(-1);
  const endedWaiting = last === undefined || last.outcome === 'lost' || last.outcome === 'moved';
  if (endedWaiting && end >= waitingSince) parts.push(toWait(waitingSince, end));
  return parts;
}

function toWait(start: number, end: number): SpanPlan {
  return { name: 'queued', start, end, attributes: {}, children: [] };
}

function planAttempt(
  { backend, startedAt, executingAt, outcome }: AttemptRecord,
  { number, endedAt, collectingAt }: { number: number; endedAt: number; collectingAt: number | undefined },
): SpanPlan {
  const starts = [
    { name: 'staging', start: startedAt },
    ...(executingAt === null ? [] : [{ name: 'executing', start: executingAt }]),
    ...(executingAt === null || collectingAt === undefined
      ? []
      : [{ name: 'collecting', start: collectingAt }]),
  ];
  const children = starts.map(({ name, start }, index) => ({
    name,
    start,
    end: Math.max(start, starts[index + 1]?.start ?? endedAt),
    attributes: {},
    children: [],
  }));
  const isBad = outcome === 'failed' || outcome === 'lost';
  return {
    name: `attempt ${number}`,
    start: startedAt,
    end: endedAt,
    attributes: {
      'comfy_bridge.attempt.number': number,
      'comfy_bridge.backend': backend,
      'comfy_bridge.attempt.outcome': outcome ?? 'unknown',
    },
    ...(isBad && { error: outcome }),
    children,
  };
}
