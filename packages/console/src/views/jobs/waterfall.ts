import type { BridgeJob } from '@comfy-bridge/protocol';

export type SegmentKind = 'waiting' | 'staging' | 'executing' | 'collecting' | 'delivery';

/** A stretch of time, in ms since the job came. */
export interface Segment {
  kind: SegmentKind;
  fromMs: number;
  toMs: number;
  /** It goes on. */
  isOpen: boolean;
}

export interface Lane {
  kind: 'waiting' | 'attempt' | 'delivery';
  /** Of an attempt: its number, its backend and how it ended. */
  attempt: BridgeJob['attempts'][number] | undefined;
  segments: Segment[];
}

export interface Waterfall {
  lanes: Lane[];
  /** The width of the whole, in ms. */
  scaleMs: number;
}

export interface WaterfallNow {
  /** ms since the epoch */
  now: number;
  /** When the collecting of the results of the last attempt began, as far as the page saw it; ms since the epoch. */
  collectingAt?: number | undefined;
}

/** A delivery that lasts longer than the work is cut: it often waits for a client that comes much later. */
const deliveryShare = 0.25;

/** Where the time of a job went: one lane for waiting, one for each attempt, one for the delivery. */
export function layWaterfall(job: BridgeJob, { now, collectingAt }: WaterfallNow): Waterfall {
  const start = Date.parse(job.created_at);
  const end = job.completed_at === null ? Math.max(now, start) : Date.parse(job.completed_at);
  const since = (ms: number) => Math.max(0, ms - start);
  const last = job.attempts.at(-1);
  const lanes: Lane[] = [
    { kind: 'waiting', attempt: undefined, segments: waitingOf(job, since, end) },
    ...job.attempts.map((attempt) => ({
      kind: 'attempt' as const,
      attempt,
      segments: attemptSegments(attempt, {
        since,
        end,
        collectingAt: attempt === last ? collectingAt : undefined,
      }),
    })),
  ];
  const workMs = Math.max(1, since(end));
  const deliveryMs =
    job.delivered_at === null || job.completed_at === null ? 0 : Date.parse(job.delivered_at) - end;
  if (deliveryMs <= 0) return { lanes, scaleMs: workMs };
  const shownMs = Math.min(deliveryMs, workMs * deliveryShare);
  const delivery = { kind: 'delivery', fromMs: workMs, toMs: workMs + shownMs, isOpen: false } as const;
  return {
    lanes: [...lanes, { kind: 'delivery', attempt: undefined, segments: [delivery] }],
    scaleMs: workMs + shownMs,
  };
}

/** Until the first attempt, between two, and after the last one that was lost. */
function waitingOf(job: BridgeJob, since: (ms: number) => number, end: number): Segment[] {
  const segments: Segment[] = [];
  let freeFrom: number | undefined = Date.parse(job.created_at);
  for (const { started_at: started, ended_at: ended } of job.attempts) {
    if (started === null) continue;
    const startedAt = Date.parse(started);
    if (freeFrom !== undefined && startedAt > freeFrom)
      segments.push({ kind: 'waiting', fromMs: since(freeFrom), toMs: since(startedAt), isOpen: false });
    freeFrom = ended === null ? undefined : Date.parse(ended);
  }
  const isWaiting = !job.finished && freeFrom !== undefined;
  const endedWithout = job.finished && job.attempts.length === 0;
  if (freeFrom !== undefined && (isWaiting || endedWithout))
    segments.push({ kind: 'waiting', fromMs: since(freeFrom), toMs: since(end), isOpen: isWaiting });
  return segments;
}

function attemptSegments(
  { started_at: started, executing_at: executing, ended_at: ended }: BridgeJob['attempts'][number],
  {
    since,
    end,
    collectingAt,
  }: { since: (ms: number) => number; end: number; collectingAt: number | undefined },
): Segment[] {
  if (started === null) return [];
  const isOpen = ended === null;
  const until = isOpen ? end : Date.parse(ended);
  if (executing === null)
    return [{ kind: 'staging', fromMs: since(Date.parse(started)), toMs: since(until), isOpen }];
  const executingAt = Date.parse(executing);
  const collecting = collectingAt !== undefined && collectingAt > executingAt ? collectingAt : undefined;
  const executedAt = Math.min(collecting ?? until, until);
  return [
    { kind: 'staging', fromMs: since(Date.parse(started)), toMs: since(executingAt), isOpen: false },
    {
      kind: 'executing',
      fromMs: since(executingAt),
      toMs: since(executedAt),
      isOpen: isOpen && collecting === undefined,
    },
    ...(collecting === undefined
      ? []
      : [{ kind: 'collecting', fromMs: since(executedAt), toMs: since(until), isOpen } as const]),
  ];
}

/** Where a segment stands in its lane, in per cent; never too thin to be seen. */
export function placeOf({ fromMs, toMs }: Segment, scaleMs: number): { left: number; width: number } {
  const least = 0.4;
  const left = Math.min((fromMs / scaleMs) * 100, 100 - least);
  return { left, width: Math.min(Math.max(((toMs - fromMs) / scaleMs) * 100, least), 100 - left) };
}
