/** How a job ended, seen from outside. */
export type JobEnd =
  | { kind: 'succeeded'; sha256: string }
  | { kind: 'failed'; reason: string }
  | { kind: 'cancelled'; reason: string }
  /** The submit was refused: it never became a job. */
  | { kind: 'refused'; status: number; reason: string }
  /** Its client went away for good and heard no more. */
  | { kind: 'left' }
  | { kind: 'lost'; reason: string };

export interface SeenFrame {
  /** ms since the epoch */
  at: number;
  /** Counts the client's sockets, from 1. */
  socket: number;
  /** Counts the bridge's starts. */
  life: number;
  status: string;
  detail: string;
  /** What `events=2` adds. */
  extras: Readonly<Record<string, unknown>>;
}

/** What one client saw of one job. Times in ms since the epoch. */
export interface JobRecord {
  readonly number: number;
  readonly clientId: string;
  readonly kind: 'ws' | 'rest';
  readonly workflow: string;
  jobId: string | undefined;
  createdAt: number;
  /** When it was told that the job is taken. */
  acknowledgedAt: number | undefined;
  /** Submits sent; more than one when an earlier one was not answered. */
  submits: number;
  /** Its client asked for the end of it, or left. */
  cancelAsked: boolean;
  readonly frames: SeenFrame[];
  /** Whole results received. */
  deliveries: number;
  /** Transfers of results that broke off. */
  brokenDeliveries: number;
  endedAt: number | undefined;
  /** The life of the bridge in which its client learned the end; 0 before. */
  endedLife: number;
  /** The bridge's life that this is. */
  readonly life: () => number;
  end: JobEnd | undefined;
  /** What must never happen and did. */
  readonly offences: string[];
}

export function createJobRecord(
  base: Pick<JobRecord, 'number' | 'clientId' | 'kind' | 'workflow' | 'life'>,
): JobRecord {
  return {
    ...base,
    jobId: undefined,
    createdAt: Date.now(),
    acknowledgedAt: undefined,
    submits: 0,
    cancelAsked: false,
    frames: [],
    deliveries: 0,
    brokenDeliveries: 0,
    endedAt: undefined,
    endedLife: 0,
    end: undefined,
    offences: [],
  };
}

export function endRecord(record: JobRecord, end: JobEnd): void {
  if (record.end !== undefined) return;
  record.end = end;
  record.endedAt = Date.now();
  record.endedLife = record.life();
}

/** Why it ended is told either way; whether its owner wanted that, its owner knows. */
export function toUnhappyEnd(record: JobRecord, reason: string): JobEnd {
  if (reason !== 'the job was interrupted') return { kind: 'failed', reason };
  if (!record.cancelAsked) record.offences.push('it was cancelled, and not by its owner');
  return { kind: 'cancelled', reason };
}

export function describeRecord({ number, kind, clientId, jobId, end, frames }: JobRecord): string {
  const last = frames.at(-1);
  const heard = last === undefined ? 'heard nothing' : `last heard ${last.status} ${last.detail}`;
  return `job ${number} (${kind}, ${clientId}, ${jobId ?? 'no id'}): ${JSON.stringify(end)}, ${heard}`;
}
