import { describeRecord } from './_job-record.ts';
import type { JobRecord } from './_job-record.ts';
import { maxAttempts } from './_settings.ts';

export interface SeenPrompt {
  /** The job's number; undefined for prompts of others. */
  number?: number | undefined;
  at: number;
}

/** What must hold of what the clients saw and what the backends ran; each violation in one line. Pure. */
export function judge(records: readonly JobRecord[], prompts: readonly SeenPrompt[]): string[] {
  return [
    ...records.flatMap((record) =>
      judgeOne(record).map((problem) => `${problem}; ${describeRecord(record)}`),
    ),
    ...judgeRuns(records, prompts),
    ...judgeOrder(records, prompts),
  ];
}

function judgeOne(record: JobRecord): string[] {
  const { end, acknowledgedAt, deliveries, offences } = record;
  const problems = [...offences, ...judgeFrames(record)];
  if (end === undefined) problems.push('nobody knows how it ended');
  if (end?.kind === 'lost')
    problems.push(acknowledgedAt === undefined ? 'never taken' : 'acknowledged and lost');
  if (end?.kind === 'failed') problems.push(...judgeReason(end.reason));
  if (deliveries > 1) problems.push(`delivered ${deliveries} times`);
  return problems;
}

function judgeReason(reason: string): string[] {
  if (reason.trim() === '') return ['failed without a reason'];
  const leaks =
    /Traceback|\bat \S+ \(|node_modules|\.(py|ts):\d|\/(tmp|srv|home|usr|var|work)\/|127\.0\.0\.1|ECONN/;
  return leaks.test(reason) ? ['its reason tells what is not for clients'] : [];
}

/** Per socket: `connected` first, progress never falls, 100 % only at the end, one end, nothing after it. */
function judgeFrames({ frames }: JobRecord): string[] {
  const problems: string[] = [];
  const bySocket = Map.groupBy(frames, ({ socket }) => socket);
  for (const [socket, heard] of bySocket) {
    if (heard[0]?.status !== 'connected') problems.push(`socket ${socket} did not start with connected`);
    const end = heard.findIndex(({ status }) => status === 'closed' || status === 'error');
    if (end >= 0 && end < heard.length - 1) problems.push(`socket ${socket} heard more after the end`);
    const values = heard
      .filter(({ status }) => status === 'progress')
      .map(({ detail }) => Number.parseFloat(detail));
    if (values.some((value, index) => value < (values[index - 1] ?? 0)))
      problems.push(`progress fell on ${socket}`);
    const whole = values.indexOf(100);
    if (whole >= 0 && (whole < values.length - 1 || heard[end]?.status !== 'closed')) {
      const cutOff = end < 0 && whole === values.length - 1;
      if (!cutOff) problems.push(`socket ${socket} heard 100% before the end`);
    }
  }
  // Within one life of the bridge the value also holds from socket to socket.
  for (const heard of Map.groupBy(frames, ({ life }) => life).values()) {
    const values = heard
      .filter(({ status }) => status === 'progress')
      .map(({ detail }) => Number.parseFloat(detail));
    if (values.some((value, index) => value < (values[index - 1] ?? 0)))
      problems.push('progress fell after a return');
  }
  return problems;
}

function judgeRuns(records: readonly JobRecord[], prompts: readonly SeenPrompt[]): string[] {
  const runs = Map.groupBy(prompts, ({ number }) => number);
  return records.flatMap((record) => {
    const count = runs.get(record.number)?.length ?? 0;
    const most = maxAttempts * Math.max(1, record.submits);
    const problems = count > most ? [`it ran ${count} times`] : [];
    if (record.end?.kind === 'succeeded' && count === 0) problems.push('it succeeded and never ran');
    return problems.map((problem) => `${problem}; ${describeRecord(record)}`);
  });
}

/** How much longer than a later one a job may wait: a slot may be bound on a slow backend. */
const overtakeMs = 5_000;

function judgeOrder(records: readonly JobRecord[], prompts: readonly SeenPrompt[]): string[] {
  const firstRun = new Map<number, number>();
  for (const { number, at } of prompts) {
    if (number !== undefined) firstRun.set(number, Math.min(at, firstRun.get(number) ?? at));
  }
  const begun = records
    .filter(({ acknowledgedAt }) => acknowledgedAt !== undefined)
    .map((record) => ({ record, taken: record.acknowledgedAt ?? 0, ran: firstRun.get(record.number) }));
  return begun.flatMap(({ record, taken, ran }) => {
    if (ran === undefined) return [];
    const later = begun.find(
      (other) => other.record.createdAt > taken && (other.ran ?? ran) < ran - overtakeMs,
    );
    return later === undefined
      ? []
      : [`job ${record.number} waited while the later job ${later.record.number} ran`];
  });
}

export interface Tally {
  jobs: number;
  acknowledged: number;
  succeeded: number;
  failed: number;
  cancelled: number;
  refused: number;
  left: number;
  lost: number;
  delivered: number;
}

export function tally(records: readonly JobRecord[]): Tally {
  const count = (kind: string) => records.filter(({ end }) => end?.kind === kind).length;
  return {
    jobs: records.length,
    acknowledged: records.filter(({ acknowledgedAt }) => acknowledgedAt !== undefined).length,
    succeeded: count('succeeded'),
    failed: count('failed'),
    cancelled: count('cancelled'),
    refused: count('refused'),
    left: count('left'),
    lost: records.filter(({ end }) => end === undefined || end.kind === 'lost').length,
    delivered: records.reduce((sum, { deliveries }) => sum + deliveries, 0),
  };
}
